package trace

import (
	"bytes"
	"slices"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/lacp"
)

// The bounds of one of a ring's two halves. One that is full replaces the other, so that
// the last half of what fits is there at any time, and mostly more. In the steady state
// of lacp_rate fast a half lasts a quarter of an hour for two ports.
const (
	halfRecords = 4096
	halfBytes   = 512 << 10
)

// Record is one step: its input and what came of it.
type Record struct {
	In    lacp.Input
	Send  []lacp.Send
	Moves []lacp.Move
}

// half is a stretch of steps from a known beginning.
type half struct {
	begin   lacp.Snapshot
	records []Record
	bytes   int
}

func (h *half) full() bool { return len(h.records) >= halfRecords || h.bytes >= halfBytes }

// Ring keeps the last steps of one system. The zero Ring is empty and ready. It has the
// owner of the system, and no locks.
type Ring struct {
	of       *lacp.System
	old, now half
	// last are what ports sent and received last: mostly it is the same again, and kept
	// once.
	last  map[uint16]*lasting
	links map[uint16]lacp.Link
}

type lasting struct {
	frame []byte
	send  []lacp.Send
}

// Step steps the system and keeps the step. The output is valid until the next step, as
// that of the system. Another system than before begins the ring anew.
func (r *Ring) Step(s *lacp.System, in lacp.Input) lacp.Output {
	if r.of != s {
		*r = Ring{of: s, last: map[uint16]*lasting{}, links: map[uint16]lacp.Link{}, now: half{begin: s.Snapshot()}}
	}
	if r.now.full() {
		r.old, r.now = r.now, half{begin: s.Snapshot()}
	}
	idle := r.idle(s, in)
	out := s.Step(in)
	if !idle || len(out.Send) > 0 || len(out.Moves) > 0 || out.Replan || out.ReadLinks {
		r.keep(in, out)
	}
	return out
}

// idle reports an input that changes nothing, where nothing comes of it: a Tick before
// the deadline, and a link that is as it was.
func (r *Ring) idle(s *lacp.System, in lacp.Input) bool {
	switch in.Kind {
	case lacp.Tick:
		d := s.Deadline()
		return len(r.now.records) > 0 && (d == agg.Never || in.At < d)
	case lacp.LinkChanged:
		was, known := r.links[in.Port]
		r.links[in.Port] = in.Link
		return known && was == in.Link
	case lacp.Configure:
		clear(r.links)
	}
	return false
}

func (r *Ring) keep(in lacp.Input, out lacp.Output) {
	last := r.last[in.Port]
	if last == nil {
		last = &lasting{}
		r.last[in.Port] = last
	}
	h := &r.now
	if !bytes.Equal(last.frame, in.Frame) {
		last.frame = bytes.Clone(in.Frame)
		h.bytes += len(in.Frame)
	}
	if in.Frame != nil {
		in.Frame = last.frame
	}
	if !slices.EqualFunc(last.send, out.Send, sameSend) {
		last.send = nil
		for _, s := range out.Send {
			s.Frame = bytes.Clone(s.Frame)
			h.bytes += len(s.Frame)
			last.send = append(last.send, s)
		}
	}
	if in.Conf != nil {
		conf := *in.Conf
		conf.Ports = slices.Clone(conf.Ports)
		in.Conf = &conf
	}
	record := Record{In: in, Moves: slices.Clone(out.Moves)}
	if len(out.Send) > 0 {
		record.Send = last.send
	}
	h.records = append(h.records, record)
}

func sameSend(a, b lacp.Send) bool {
	return a.Port == b.Port && a.Behind == b.Behind && a.LACPDU == b.LACPDU && bytes.Equal(a.Frame, b.Frame)
}

// Trace returns what is kept, oldest first. It shares nothing that will change.
func (r *Ring) Trace() Trace {
	if r.of == nil {
		return Trace{}
	}
	t := Trace{Begin: r.now.begin, Records: slices.Clone(r.now.records)}
	if len(r.old.records) > 0 {
		t = Trace{Begin: r.old.begin, Records: append(slices.Clone(r.old.records), r.now.records...)}
	}
	return t
}
