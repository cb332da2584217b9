package capture

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
)

// Frames calls each with every frame of a pcap or pcapng of Ethernet: as much of it as was
// captured, valid until each returns, and its length in bytes.
func Frames(r io.Reader, each func(frame []byte, length int)) error {
	in := bufio.NewReader(r)
	magic, err := in.Peek(4)
	if err != nil {
		return fmt.Errorf("read a capture: too short to be one")
	}
	var next func() ([]byte, gopacket.CaptureInfo, error)
	var link func() layers.LinkType
	if binary.BigEndian.Uint32(magic) == pcapng {
		ng, err := pcapgo.NewNgReader(in, pcapgo.NgReaderOptions{SkipUnknownVersion: true})
		if err != nil {
			return fmt.Errorf("read a capture: %w", err)
		}
		next, link = ng.ZeroCopyReadPacketData, ng.LinkType
	} else {
		plain, err := pcapgo.NewReader(in)
		if err != nil {
			return fmt.Errorf("read a capture: %w", err)
		}
		next, link = plain.ZeroCopyReadPacketData, plain.LinkType
	}
	for {
		data, info, err := next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read a capture: %w", err)
		}
		if link() != layers.LinkTypeEthernet {
			return fmt.Errorf("read a capture: its frames are of type %v; capture on the aggregate itself (tcpdump -i bond0), not on any", link())
		}
		each(data, info.Length)
	}
}
