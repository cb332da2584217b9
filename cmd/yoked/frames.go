package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"github.com/yokelag/yoke/agg"
)

// newFramesCommand is how `yoke explain --spread TIME` sees traffic.
func newFramesCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "frames INTERFACE TIME",
		Short:  "Write the heads of the frames that an interface sends as a pcap; yoke starts it",
		Hidden: true,
		Args:   cobra.ExactArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			d, err := time.ParseDuration(args[1])
			if err != nil {
				return usageError{err}
			}
			return writeFrames(c.Context(), args[0], d, c.OutOrStdout())
		},
	}
}

// frameHead is as much of a frame as the hash policies look at, with tunnels and tags.
const frameHead = 256

// writeFrames writes what the interface sends for that long. A tag that the kernel keeps
// beside the frame is put back into it, as tcpdump does.
func writeFrames(ctx context.Context, name string, d time.Duration, to io.Writer) error {
	fd, err := listenOn(name)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	out := bufio.NewWriter(to)
	w := pcapgo.NewWriter(out)
	if err := w.WriteFileHeader(frameHead, layers.LinkTypeEthernet); err != nil {
		return fmt.Errorf("write frames: %w", err)
	}
	buf, beside := make([]byte, frameHead), make([]byte, 128)
	for end := time.Now().Add(d); time.Now().Before(end) && ctx.Err() == nil; {
		n, o, _, from, err := unix.Recvmsg(fd, buf, beside, unix.MSG_TRUNC)
		if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return fmt.Errorf("watch %s: %w", name, err)
		}
		if ll, ok := from.(*unix.SockaddrLinklayer); !ok || ll.Pkttype != unix.PACKET_OUTGOING {
			continue
		}
		frame, length := withTag(buf[:min(n, len(buf))], n, beside[:o])
		if err := w.WritePacket(gopacket.CaptureInfo{Timestamp: time.Now(), CaptureLength: len(frame), Length: length}, frame); err != nil {
			return fmt.Errorf("write frames: %w", err)
		}
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write frames: %w", err)
	}
	return ctx.Err()
}

// listenOn opens a socket that hears all that the interface sends and receives.
func listenOn(name string) (int, error) {
	device, err := net.InterfaceByName(name)
	if err != nil {
		return -1, &agg.Problem{Code: "no-interface", Object: name, Rule: "is not in this network namespace", Remedy: "run it where `ip link` shows " + name}
	}
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	if errors.Is(err, os.ErrPermission) {
		return -1, &agg.Problem{Code: "not-permitted", Object: name, Rule: "only root may watch traffic", Remedy: "run the command with sudo, or give it a capture: `--spread FILE`"}
	}
	if err != nil {
		return -1, fmt.Errorf("watch %s: %w", name, err)
	}
	wait := unix.Timeval{Usec: 50_000} // so that the end of the time is noticed
	all := binary.BigEndian.Uint16(binary.NativeEndian.AppendUint16(nil, unix.ETH_P_ALL))
	err = errors.Join(
		unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_AUXDATA, 1),
		unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &wait),
		unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: all, Ifindex: device.Index}))
	if err != nil {
		_ = unix.Close(fd)
		return -1, fmt.Errorf("watch %s: %w", name, err)
	}
	return fd, nil
}

// withTag reads struct tpacket_auxdata of linux/if_packet.h.
func withTag(frame []byte, length int, beside []byte) ([]byte, int) {
	const size, tci, tpid, addresses = 20, 16, 18, 12
	messages, err := unix.ParseSocketControlMessage(beside)
	if err != nil || len(frame) < addresses {
		return frame, length
	}
	for _, m := range messages {
		if m.Header.Level != unix.SOL_PACKET || m.Header.Type != unix.PACKET_AUXDATA || len(m.Data) < size ||
			binary.NativeEndian.Uint32(m.Data)&unix.TP_STATUS_VLAN_VALID == 0 {
			continue
		}
		out := append(make([]byte, 0, frameHead), frame[:addresses]...)
		out = binary.BigEndian.AppendUint16(out, binary.NativeEndian.Uint16(m.Data[tpid:]))
		out = binary.BigEndian.AppendUint16(out, binary.NativeEndian.Uint16(m.Data[tci:]))
		out = append(out, frame[addresses:]...)
		return out[:min(len(out), frameHead)], length + 4
	}
	return frame, length
}
