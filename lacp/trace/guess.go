package trace

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/lacp"
	"github.com/yokelag/yoke/wire/slow"
)

// Captured is a frame that somebody captured, in or out. Interface tells cables apart.
type Captured struct {
	At        agg.Instant
	Interface int
	Frame     []byte
}

// word is a LACPDU that was captured.
type word struct {
	Captured
	pdu slow.LACPDU
	src agg.MAC
}

// Systems returns the systems that speak in a capture, the most talkative first.
func Systems(frames []Captured) []agg.MAC {
	said := map[agg.MAC]int{}
	var out []agg.MAC
	for _, w := range wordsOf(frames) {
		system := agg.MAC(w.pdu.Actor.System)
		if said[system] == 0 {
			out = append(out, system)
		}
		said[system]++
	}
	slices.SortStableFunc(out, func(a, b agg.MAC) int { return said[b] - said[a] })
	return out
}

func wordsOf(frames []Captured) []word {
	var out []word
	for _, c := range frames {
		f, err := slow.Parse(c.Frame, slow.Addr{})
		if err != nil || f.Subtype != slow.SubtypeLACP {
			continue
		}
		if pdu, err := slow.ParseLACPDU(f.Payload); err == nil {
			out = append(out, word{c, pdu, agg.MAC(f.Src)})
		}
	}
	return out
}

// Guess makes a trace of captured frames: what a System in
// the place of the system as would have done that heard what as heard. Its values are
// those that as gives in its first LACPDU of each port, all links come up together with
// the first frame, and ticks come at their deadlines. The error is of a capture in which
// as does not speak.
func Guess(frames []Captured, as agg.MAC) (Trace, error) {
	frames = slices.Clone(frames)
	slices.SortStableFunc(frames, func(a, b Captured) int { return cmp.Compare(a.At, b.At) })
	words := wordsOf(frames)
	conf := lacp.Config{System: as, Strict: true}
	for _, w := range words {
		a := w.pdu.Actor
		if agg.MAC(a.System) != as || a.Port == 0 || slices.ContainsFunc(conf.Ports, func(p lacp.Port) bool { return p.Number == a.Port }) {
			continue
		}
		if len(conf.Ports) == agg.MaxPorts {
			return Trace{}, fmt.Errorf("%v speaks on more than %d ports", as, agg.MaxPorts)
		}
		conf.SystemPriority = a.SystemPriority
		conf.Active, conf.Short = a.State.Has(slow.Activity), a.State.Has(slow.Timeout)
		conf.Ports = append(conf.Ports, lacp.Port{
			Number: a.Port, MAC: w.src, Priority: a.PortPriority, Key: a.Key, Individual: !a.State.Has(slow.Aggregation),
		})
	}
	if len(conf.Ports) == 0 {
		return Trace{}, fmt.Errorf("%v says nothing in this capture", as)
	}
	s, err := lacp.New(conf)
	if err != nil {
		return Trace{}, err
	}
	t := Trace{Begin: s.Snapshot(), Guessed: true}
	t.run(s, frames, cablesOf(words, as))
	return t, nil
}

// end names what is at the other end of a cable, as far as a capture tells.
type end struct {
	device int
	system slow.Addr
	port   uint16
}

// cablesOf finds the port of as that hears each partner's port: what the two say of each
// other, and else the only one on the same interface of the capture.
func cablesOf(words []word, as agg.MAC) map[end]uint16 {
	cables := map[end]uint16{}
	alone := map[int][]uint16{}
	for _, w := range words {
		a, p := w.pdu.Actor, w.pdu.Partner
		if agg.MAC(a.System) != as {
			continue
		}
		if !slices.Contains(alone[w.Interface], a.Port) {
			alone[w.Interface] = append(alone[w.Interface], a.Port)
		}
		if p.System != (slow.Addr{}) {
			cables[end{w.Interface, p.System, p.Port}] = a.Port
		}
	}
	for _, w := range words {
		a, p := w.pdu.Actor, w.pdu.Partner
		e := end{w.Interface, a.System, a.Port}
		_, known := cables[e]
		switch {
		case agg.MAC(a.System) == as || known:
		case agg.MAC(p.System) == as && p.Port != 0:
			cables[e] = p.Port
		case len(alone[w.Interface]) == 1:
			cables[e] = alone[w.Interface][0]
		}
	}
	return cables
}

// guessedLead is how long before the first frame the links come up.
const guessedLead = time.Millisecond

// run steps the system through what it heard, and notes the inputs.
func (t *Trace) run(s *lacp.System, frames []Captured, cables map[end]uint16) {
	give := func(in lacp.Input) {
		if t.Cut = len(t.Records) >= maxGuessed; t.Cut {
			return
		}
		s.Step(in)
		t.Records = append(t.Records, Record{In: in})
	}
	began := false
	for _, c := range frames {
		if !began {
			for _, number := range s.Ports() {
				give(lacp.Input{At: c.At.Add(-guessedLead), Kind: lacp.LinkChanged, Port: number, Link: lacp.Link{Up: true, Speed: 10000, FullDuplex: true}})
			}
			began = true
		}
		for d := s.Deadline(); d != agg.Never && d < c.At && !t.Cut; d = s.Deadline() {
			give(lacp.Input{At: d, Kind: lacp.Tick})
		}
		if port, ours := hears(c, t.Begin.Config.System, cables); ours {
			give(lacp.Input{At: c.At, Kind: lacp.Received, Port: port, Frame: c.Frame})
		}
	}
}

// maxGuessed bounds the steps that a file with absurd times can ask for: a day of some
// ports at lacp_rate fast.
const maxGuessed = 1 << 20

func hears(c Captured, as agg.MAC, cables map[end]uint16) (uint16, bool) {
	w := wordsOf([]Captured{c})
	if len(w) == 0 || agg.MAC(w[0].pdu.Actor.System) == as {
		return 0, false
	}
	port, ok := cables[end{c.Interface, w[0].pdu.Actor.System, w[0].pdu.Actor.Port}]
	return port, ok
}
