package trace

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/lacp"
	"github.com/yokelag/yoke/wire/slow"
)

// Telling is how a trace is told.
type Telling struct {
	// Every tells also the LACPDUs that changed nothing.
	Every bool
	// Time words an instant; seconds since the first step where it is nil.
	Time func(agg.Instant) string
}

// Tell replays a trace and writes a transcript: for every step with a transition its
// input, which is the cause, the transitions with their rows and clauses, and what was
// sent; in the end how every port stands. The error is of writing, or of a replay that
// differs, which is told, too.
func (t Trace) Tell(w io.Writer, how Telling) error {
	if how.Time == nil {
		begin := t.Begin.Saved.At
		if len(t.Records) > 0 {
			begin = t.Records[0].In.At
		}
		how.Time = func(i agg.Instant) string { return fmt.Sprintf("%10.4f", i.Sub(begin).Seconds()) }
	}
	p := teller{w: w, Telling: how, names: map[uint16]string{}, cut: t.Cut}
	p.name(t.Begin.Config)
	var last *lacp.System
	err := t.Replay(func(s *lacp.System, r Record) {
		last = s
		p.step(r)
	})
	if last != nil {
		p.end(last)
	}
	if p.err != nil {
		return fmt.Errorf("write the transcript: %w", p.err)
	}
	return err
}

type teller struct {
	Telling
	w     io.Writer
	err   error
	names map[uint16]string
	cut   bool
}

func (p *teller) printf(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format, args...)
	}
}

func (p *teller) name(c lacp.Config) {
	for _, port := range c.Ports {
		p.names[port.Number] = port.Name
		if port.Name == "" {
			p.names[port.Number] = fmt.Sprintf("port %d", port.Number)
		}
	}
}

func (p *teller) of(number uint16) string {
	if n := p.names[number]; n != "" {
		return n
	}
	return fmt.Sprintf("port %d", number)
}

func (p *teller) step(r Record) {
	if r.In.Conf != nil {
		p.name(*r.In.Conf)
	}
	frames := len(r.Send) > 0 || r.In.Kind == lacp.Received
	if len(r.Moves) == 0 && (!p.Every || !frames) {
		return
	}
	p.printf("%s  %s\n", p.Time(r.In.At), p.cause(r.In))
	for _, m := range r.Moves {
		i := m.Row.Info()
		p.printf("    %-8s %s %s: %s -> %s (%s; %s)\n", p.of(m.Port), i.ID, i.Machine, m.From, m.To, i.When, i.Clause)
	}
	for _, s := range r.Send {
		p.printf("    %-8s sends %s\n", p.of(s.Port), frameText(s.Frame))
	}
}

// cause words an input.
func (p *teller) cause(in lacp.Input) string {
	switch in.Kind {
	case lacp.Tick:
		return "time passes"
	case lacp.Configure:
		return "configured anew"
	case lacp.LinkChanged:
		switch l := in.Link; {
		case !l.Up:
			return p.of(in.Port) + " loses its link"
		case l.Speed == 0:
			return p.of(in.Port) + " has a link of unknown speed"
		default:
			duplex := "half"
			if l.FullDuplex {
				duplex = "full"
			}
			return fmt.Sprintf("%s has a link, %d Mb/s, %s duplex", p.of(in.Port), l.Speed, duplex)
		}
	case lacp.Received:
		return p.of(in.Port) + " hears " + frameText(in.Frame)
	case lacp.SendFailed:
		return p.of(in.Port) + " could not send"
	case lacp.Drain:
		return p.of(in.Port) + " is drained"
	case lacp.Yielded:
		return "no traffic leaves by " + p.of(in.Port) + " any more"
	case lacp.Undrain:
		return p.of(in.Port) + " is taken back"
	default:
		return string(in.Kind)
	}
}

// frameText words a frame.
func frameText(frame []byte) string {
	f, err := slow.Parse(frame, slow.Addr{})
	if err != nil {
		return fmt.Sprintf("a frame of %d bytes (%v)", len(frame), err)
	}
	if f.Subtype == slow.SubtypeMarker {
		m, err := slow.ParseMarker(f.Payload)
		switch {
		case err != nil:
			return fmt.Sprintf("a Marker (%v)", err)
		case m.Type == slow.MarkerResponse:
			return fmt.Sprintf("Marker Response %d", m.Transaction)
		default:
			return fmt.Sprintf("Marker %d", m.Transaction)
		}
	}
	pdu, err := slow.ParseLACPDU(f.Payload)
	if err != nil {
		return fmt.Sprintf("a LACPDU (%v)", err)
	}
	return fmt.Sprintf("LACPDU %s; of its partner %s", endText(pdu.Actor), endText(pdu.Partner))
}

func endText(i slow.Info) string {
	if i.System == (slow.Addr{}) {
		return "nobody, " + i.State.Letters()
	}
	return fmt.Sprintf("%v port %d key %d %s", agg.MAC(i.System), i.Port, i.Key, i.State.Letters())
}

// end says how every port stands.
func (p *teller) end(s *lacp.System) {
	carrier := "no carrier"
	if s.Carrier() {
		carrier = "carrier"
	}
	p.printf("\nIn the end: %s\n", carrier)
	if p.cut {
		p.printf("  (not the end of the file: that would be more than %d steps)\n", maxGuessed)
	}
	numbers := s.Ports()
	slices.Sort(numbers)
	for _, n := range numbers {
		v, _ := s.Port(n)
		g := s.Gate(n)
		p.printf("  %s: %s, %s, %s; %s: %s\n", p.of(n), v.Receive, v.Selected, v.Mux, g.Reason, g.Detail)
		if g.Check != "" {
			p.printf("    check %s\n", strings.TrimSpace(g.Check))
		}
	}
}
