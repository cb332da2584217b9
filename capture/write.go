package capture

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/lacp"
	"github.com/yokelag/yoke/lacp/trace"
)

// Write writes the file of a trace. The error is of w, or of a trace that has no port.
func Write(w io.Writer, f File) error {
	if f.Trace == nil {
		return fmt.Errorf("write a capture: there is no trace")
	}
	out := writer{boot: f.Boot, devices: map[uint16]int{}}
	ports := portsOf(*f.Trace)
	if len(ports) == 0 {
		return fmt.Errorf("write a capture: the trace has no port")
	}
	section := sectionComment{kind, version, f.Aggregate, f.Boot, f.Trace.Begin.Config, f.Trace.Begin.Saved, f.Trace.Begin.Rest}
	section.Saved.Ports = nil
	options := pcapgo.NgWriterOptions{SectionInfo: pcapgo.NgSectionInfo{Application: "yoke", Comment: out.json(section)}}
	for i, p := range ports {
		device := out.device(f.Trace.Begin, p)
		var err error
		if i == 0 {
			out.ng, err = pcapgo.NewNgWriterInterface(w, device, options)
		} else {
			_, err = out.ng.AddInterface(device)
		}
		if err != nil {
			return fmt.Errorf("write a capture: %w", err)
		}
		out.devices[p.Number] = i
	}
	for _, r := range f.Trace.Records {
		out.record(r)
	}
	out.rest()
	if out.err == nil {
		out.err = out.ng.Flush()
	}
	if out.err != nil {
		return fmt.Errorf("write a capture: %w", out.err)
	}
	return nil
}

// portsOf returns the ports that a trace begins with, and those that came later.
func portsOf(t trace.Trace) []lacp.Port {
	out := slices.Clone(t.Begin.Config.Ports)
	for _, r := range t.Records {
		if r.In.Conf == nil {
			continue
		}
		for _, p := range r.In.Conf.Ports {
			if !slices.ContainsFunc(out, func(q lacp.Port) bool { return q.Number == p.Number }) {
				out = append(out, p)
			}
		}
	}
	return out
}

type writer struct {
	ng      *pcapgo.NgWriter
	boot    time.Time
	devices map[uint16]int
	// pending are steps without a packet of their own.
	pending []string
	last    agg.Instant
	err     error
}

// longestComment is what a pcapng option has room for.
const longestComment = 65535

func (w *writer) json(v any) string {
	text, err := json.Marshal(v)
	if len(text) > longestComment {
		err = fmt.Errorf("a comment of %d bytes; the format has room for %d", len(text), longestComment)
	}
	if err != nil && w.err == nil {
		w.err = err
	}
	return string(text)
}

func (w *writer) device(begin lacp.Snapshot, p lacp.Port) pcapgo.NgInterface {
	c := interfaceComment{Number: p.Number}
	for i, s := range begin.Saved.Ports {
		if s.Number == p.Number {
			c.Saved, c.Rest = &s, &begin.Ports[i]
		}
	}
	name := p.Name
	if name == "" {
		name = fmt.Sprintf("port%d", p.Number)
	}
	return pcapgo.NgInterface{Name: name, Comment: w.json(c), LinkType: layers.LinkTypeEthernet, TimestampResolution: 9}
}

// record writes the packets of a step. The first carries the step in a comment, behind
// those that had no packet.
func (w *writer) record(r trace.Record) {
	w.last = r.In.At
	s := step{At: r.In.At, Kind: r.In.Kind, Port: r.In.Port, Conf: r.In.Conf, Frame: r.In.Kind == lacp.Received}
	if r.In.Kind == lacp.LinkChanged {
		s.Link = &r.In.Link
	}
	for _, m := range r.Moves {
		s.Moves = append(s.Moves, move{m.Port, m.Row.String(), m.From, m.To})
	}
	w.pending = append(w.pending, w.json(packetComment{Step: &s}))
	if _, known := w.devices[r.In.Port]; s.Frame && known {
		w.packet(r.In.At, r.In.Port, r.In.Frame, pcapgo.NgEpbFlagDirectionInbound)
	}
	for _, f := range r.Send {
		w.pending = append(w.pending, w.json(packetComment{Send: &send{f.Port, f.Behind, f.LACPDU}}))
		w.packet(r.In.At, f.Port, f.Frame, pcapgo.NgEpbFlagDirectionOutbound)
	}
}

// rest writes steps that no packet followed, in a packet without bytes.
func (w *writer) rest() {
	if len(w.pending) > 0 {
		for number := range w.devices {
			if w.devices[number] == 0 {
				w.packet(w.last, number, nil, pcapgo.NgEpbFlagDirectionUnknown)
			}
		}
	}
}

func (w *writer) packet(at agg.Instant, port uint16, data []byte, direction pcapgo.NgEpbFlag) {
	if w.err != nil {
		return
	}
	info := gopacket.CaptureInfo{
		Timestamp: w.boot.Add(time.Duration(at)), CaptureLength: len(data), Length: len(data), InterfaceIndex: w.devices[port],
	}
	flags := pcapgo.NgEpbFlags{Direction: direction}
	w.err = w.ng.WritePacketWithOptions(info, data, pcapgo.NgPacketOptions{Comments: w.pending, Flags: &flags})
	w.pending = w.pending[:0]
}
