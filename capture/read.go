package capture

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/lacp"
	"github.com/yokelag/yoke/lacp/trace"
	"github.com/yokelag/yoke/wire/slow"
)

// pcapng begins with the type of a section header block.
const pcapng = 0x0a0d0d0a

// lead is where the clock of captured frames begins, so that there is a time before them.
const lead = agg.Instant(time.Hour)

// Read reads a file. The error is of a file that is neither pcap nor pcapng of Ethernet,
// that ends in the middle of a packet, or that says it is a ring's and is broken.
func Read(r io.Reader) (File, error) {
	in := bufio.NewReader(r)
	magic, err := in.Peek(4)
	if err != nil {
		return File{}, fmt.Errorf("read a capture: too short to be one")
	}
	if binary.BigEndian.Uint32(magic) != pcapng {
		return readPlain(in)
	}
	ng, err := pcapgo.NewNgReader(in, pcapgo.NgReaderOptions{SkipUnknownVersion: true})
	if err != nil {
		return File{}, fmt.Errorf("read a capture: %w", err)
	}
	var section sectionComment
	if json.Unmarshal([]byte(ng.SectionInfo().Comment), &section) == nil && section.Kind == kind {
		if section.Version > version {
			return File{}, fmt.Errorf("read a capture: written in version %d of the format, and this program knows up to %d; use a newer yoke", section.Version, version)
		}
		return readRing(ng, section)
	}
	var f File
	return f.captured(func() ([]byte, gopacket.CaptureInfo, layers.LinkType, error) {
		data, info, err := ng.ReadPacketData()
		return data, info, ng.LinkType(), err
	})
}

func readPlain(in io.Reader) (File, error) {
	r, err := pcapgo.NewReader(in)
	if err != nil {
		return File{}, fmt.Errorf("read a capture: %w", err)
	}
	var f File
	return f.captured(func() ([]byte, gopacket.CaptureInfo, layers.LinkType, error) {
		data, info, err := r.ReadPacketData()
		return data, info, r.LinkType(), err
	})
}

// captured keeps the frames of slow protocols.
func (f File) captured(next func() ([]byte, gopacket.CaptureInfo, layers.LinkType, error)) (File, error) {
	for {
		data, info, link, err := next()
		if errors.Is(err, io.EOF) {
			return f, nil
		}
		if err != nil {
			return f, fmt.Errorf("read a capture: %w", err)
		}
		if link != layers.LinkTypeEthernet {
			return f, fmt.Errorf("read a capture: its frames are of type %v; capture on the port itself (tcpdump -i eth1), not on any", link)
		}
		if f.Boot.IsZero() {
			f.Boot = info.Timestamp.Add(-time.Duration(lead))
		}
		at := agg.Instant(info.Timestamp.Sub(f.Boot))
		if _, err := slow.Parse(data, slow.Addr{}); err != nil || at <= 0 {
			f.Others++
			continue
		}
		f.Frames = append(f.Frames, trace.Captured{At: at, Interface: info.InterfaceIndex, Frame: data})
	}
}

// ring collects the steps of a ring's file.
type ring struct {
	records []trace.Record
	rows    map[string]lacp.Row
}

func readRing(ng *pcapgo.NgReader, section sectionComment) (File, error) {
	f := File{Aggregate: section.Aggregate, Boot: section.Boot}
	r := ring{rows: map[string]lacp.Row{}}
	for _, row := range lacp.Rows() {
		r.rows[row.String()] = row
	}
	for {
		data, _, options, err := ng.ReadPacketDataWithOptions()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return f, fmt.Errorf("read a ring: %w", err)
		}
		for _, c := range options.Comments {
			if err := r.comment(c, data); err != nil {
				return f, fmt.Errorf("read a ring: %w", err)
			}
		}
	}
	t := trace.Trace{Begin: lacp.Snapshot{Config: section.Config, Saved: section.Saved, Rest: section.Rest}, Records: r.records}
	for i := range ng.NInterfaces() {
		if err := beginPort(&t.Begin, ng, i); err != nil {
			return f, fmt.Errorf("read a ring: %w", err)
		}
	}
	f.Trace = &t
	return f, nil
}

func beginPort(s *lacp.Snapshot, ng *pcapgo.NgReader, i int) error {
	device, err := ng.Interface(i)
	if err != nil {
		return err
	}
	var c interfaceComment
	if err := json.Unmarshal([]byte(device.Comment), &c); err != nil {
		return fmt.Errorf("interface %s: %w", device.Name, err)
	}
	if c.Saved != nil && c.Rest != nil {
		s.Saved.Ports = append(s.Saved.Ports, *c.Saved)
		s.Ports = append(s.Ports, *c.Rest)
	}
	return nil
}

func (r *ring) comment(text string, data []byte) error {
	var c packetComment
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		return fmt.Errorf("a packet's comment: %w", err)
	}
	if c.Step != nil {
		r.records = append(r.records, r.record(*c.Step, data))
	}
	if c.Send != nil {
		if len(r.records) == 0 {
			return fmt.Errorf("a frame was sent before the first step")
		}
		last := &r.records[len(r.records)-1]
		last.Send = append(last.Send, lacp.Send{Port: c.Send.Port, Behind: c.Send.Behind, LACPDU: c.Send.LACPDU, Frame: data})
	}
	return nil
}

func (r *ring) record(s step, data []byte) trace.Record {
	out := trace.Record{In: lacp.Input{At: s.At, Kind: s.Kind, Port: s.Port, Conf: s.Conf}}
	if s.Link != nil {
		out.In.Link = *s.Link
	}
	if s.Frame {
		out.In.Frame = data
	}
	for _, m := range s.Moves {
		out.Moves = append(out.Moves, lacp.Move{At: s.At, Port: m.Port, Row: r.rows[m.Row], From: m.From, To: m.To})
	}
	return out
}
