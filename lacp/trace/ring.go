package trace

import (
	"bytes"
	"slices"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/lacp"
)

// The bounds of one of a ring's two halves, for each port. One that is full replaces the
// other, so that the last half of what fits is there at any time, and mostly more. At
// lacp_rate fast a half lasts four minutes in the steady state.
const (
	halfRecords = 512
	halfBytes   = 64 << 10
)

// Record is one step: its input and what came of it.
type Record struct {
	In    lacp.Input
	Send  []lacp.Send
	Moves []lacp.Move
}

// kept is a Record in little room: frames are shared by all steps that had the same.
type kept struct {
	at    agg.Instant
	kind  lacp.Kind
	port  uint16
	frame *[]byte
	send  *[]lacp.Send
	rare  *rare
}

// rare is what most steps do not have.
type rare struct {
	link  lacp.Link
	conf  *lacp.Config
	moves []lacp.Move
}

func (k kept) record() Record {
	r := Record{In: lacp.Input{At: k.at, Kind: k.kind, Port: k.port}}
	if k.frame != nil {
		r.In.Frame = *k.frame
	}
	if k.send != nil {
		r.Send = *k.send
	}
	if k.rare != nil {
		r.In.Link, r.In.Conf, r.Moves = k.rare.link, k.rare.conf, k.rare.moves
	}
	return r
}

// half is a stretch of steps from a known beginning.
type half struct {
	begin lacp.Snapshot
	steps []kept
	bytes int
}

func (h *half) full() bool {
	ports := max(1, len(h.begin.Ports))
	return len(h.steps) >= ports*halfRecords || h.bytes >= ports*halfBytes
}

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
	frame *[]byte
	send  *[]lacp.Send
}

// Step steps the system and keeps the step. The output is valid until the next step, as
// that of the system. Another system than before begins the ring anew.
func (r *Ring) Step(s *lacp.System, in lacp.Input) lacp.Output {
	if r.of != s {
		*r = Ring{of: s, last: map[uint16]*lasting{}, links: map[uint16]lacp.Link{}, now: half{begin: s.Snapshot()}}
	}
	if r.now.full() {
		free := r.old.steps
		clear(free)
		r.old, r.now = r.now, half{begin: s.Snapshot(), steps: free[:0]}
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
		return len(r.now.steps) > 0 && (d == agg.Never || in.At < d)
	case lacp.LinkChanged:
		was, known := r.links[in.Port]
		r.links[in.Port] = in.Link
		return known && was == in.Link
	case lacp.Configure:
		clear(r.links)
		return false
	default:
		return false
	}
}

func (r *Ring) keep(in lacp.Input, out lacp.Output) {
	k := kept{at: in.At, kind: in.Kind, port: in.Port}
	if in.Frame != nil {
		k.frame = r.shareFrame(r.lastOf(in.Port), in.Frame)
	}
	if len(out.Send) > 0 {
		k.send = r.shareSend(r.lastOf(out.Send[0].Port), out.Send)
	}
	if in.Conf != nil || in.Kind == lacp.LinkChanged || len(out.Moves) > 0 {
		k.rare = &rare{link: in.Link, moves: slices.Clone(out.Moves)}
		r.now.bytes += 64 * (1 + len(out.Moves))
	}
	if in.Conf != nil {
		conf := *in.Conf
		conf.Ports = slices.Clone(conf.Ports)
		k.rare.conf = &conf
		r.now.bytes += 96 * len(conf.Ports)
	}
	r.now.steps = append(r.now.steps, k)
}

func (r *Ring) lastOf(port uint16) *lasting {
	last := r.last[port]
	if last == nil {
		last = &lasting{}
		r.last[port] = last
	}
	return last
}

func (r *Ring) shareFrame(last *lasting, frame []byte) *[]byte {
	if last.frame == nil || !bytes.Equal(*last.frame, frame) {
		f := append([]byte{}, frame...)
		last.frame = &f
		r.now.bytes += len(f)
	}
	return last.frame
}

func (r *Ring) shareSend(last *lasting, send []lacp.Send) *[]lacp.Send {
	if last.send == nil || !slices.EqualFunc(*last.send, send, sameSend) {
		s := slices.Clone(send)
		for i := range s {
			s[i].Frame = bytes.Clone(s[i].Frame)
			r.now.bytes += len(s[i].Frame)
		}
		last.send = &s
	}
	return last.send
}

func sameSend(a, b lacp.Send) bool {
	return a.Port == b.Port && a.Behind == b.Behind && a.LACPDU == b.LACPDU && bytes.Equal(a.Frame, b.Frame)
}

// Trace returns what is kept, oldest first. It shares nothing that will change.
func (r *Ring) Trace() Trace {
	if r.of == nil {
		return Trace{}
	}
	t := Trace{Begin: r.now.begin}
	if len(r.old.steps) > 0 {
		t.Begin = r.old.begin
	}
	for _, steps := range [][]kept{r.old.steps, r.now.steps} {
		for _, k := range steps {
			t.Records = append(t.Records, k.record())
		}
	}
	return t
}
