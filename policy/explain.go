package policy

import (
	"errors"
	"fmt"
	"strings"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/wire"
)

// Path is the way a frame takes under a plan.
type Path struct {
	// Hash is the frame's hash, 0 where the plan does not hash.
	Hash uint32 `json:"hash"`
	// Entry is the index into the plan's table, agg.NoPort where it is empty.
	Entry int `json:"entry"`
	// Port and Second are names; Second takes over if Port loses its carrier before a
	// new plan. Empty where there is none.
	Port   string `json:"port,omitempty"`
	Second string `json:"second,omitempty"`
	// Text says all that in a sentence.
	Text string `json:"text"`
}

// Explain tells which way a frame takes under a plan, usually one that was read back
// from the plane. Where there is no answer for one frame (round-robin, random), or more
// than one port (broadcast), Port is empty, and Text says why.
func Explain(p agg.Plan, frame []byte, tag Tag) Path {
	path := Path{Entry: agg.NoPort}
	switch {
	case p.Blocked:
		path.Text = "dropped: the aggregate is blocked, as no port works"
		return path
	case len(p.Table) == 0:
		path.Text = "dropped: the plan has no port to send on"
		return path
	case p.Select == agg.SelectBroadcast || ClassesOf(frame)&p.Copy != 0:
		path.Text = "a copy leaves by each of " + strings.Join(transmitting(p), ", ")
		return path
	case p.Multicast != agg.NoPort && ClassesOf(frame)&p.Unbalanced != 0:
		path.Port, path.Second = portName(p, p.Multicast), portName(p, p.Second(p.Multicast))
		path.Text = "leaves by " + path.Port + ": all frames of its kind do" + otherwise(path)
		return path
	case p.Select != agg.SelectFixed && !hashed(p.Select):
		path.Text = "no single answer: the selector " + p.Select.String() + " does not look at the frame"
		return path
	}
	if hashed(p.Select) {
		path.Hash = Hash(p.Hash, frame, tag)
	}
	path.Entry = p.Entry(path.Hash)
	choice := p.Table[path.Entry]
	path.Port, path.Second = portName(p, choice.First), portName(p, choice.Second)
	path.Text = sentence(p, path)
	return path
}

// transmitting are the names of the ports that carry, in configured order.
func transmitting(p agg.Plan) []string {
	var names []string
	for _, q := range p.Ports {
		if q.Transmit {
			names = append(names, q.Name)
		}
	}
	return names
}

func hashed(s agg.Selector) bool { return s == agg.SelectBuckets || s == agg.SelectModulo }

func portName(p agg.Plan, i int) string {
	if i < 0 || i >= len(p.Ports) {
		return ""
	}
	return p.Ports[i].Name
}

func sentence(p agg.Plan, path Path) string {
	text := "leaves by " + path.Port
	switch p.Select {
	case agg.SelectBuckets:
		text += fmt.Sprintf(": %s hash 0x%08x is bucket %d of %d", p.Hash, path.Hash, path.Entry, len(p.Table))
	case agg.SelectModulo:
		text += fmt.Sprintf(": %s hash 0x%08x mod %d is %d", p.Hash, path.Hash, len(p.Table), path.Entry)
	default:
		text += ": it is the active port"
	}
	if p.Table[path.Entry].Moves {
		return text + "; moves to " + path.Second + " when its traffic pauses, or " + path.Port + " fails"
	}
	return text + otherwise(path)
}

func otherwise(path Path) string {
	if path.Second == "" {
		return ""
	}
	return "; if that fails, by " + path.Second
}

// ErrNoSourcePort means that no source port leads to the wanted port.
var ErrNoSourcePort = errors.New("no source port leads there")

// FindSourcePort returns a source port (or identifier of an ICMP echo) with which the
// flow leaves by the named port. It begins with the flow's own, then walks the
// ephemeral ports from 32768 on; the search is bounded by the 65535 there are. Errors
// wrap ErrNoSourcePort and say why.
func FindSourcePort(p agg.Plan, flow wire.Flow, tag Tag, port string) (uint16, error) {
	want := p.PortByName(port)
	switch {
	case want < 0:
		return 0, fmt.Errorf("find source port: %s is not a port of the plan: %w", port, ErrNoSourcePort)
	case !p.Ports[want].Transmit:
		return 0, fmt.Errorf("find source port: %s carries nothing now: %w", port, ErrNoSourcePort)
	}
	var frame []byte
	for n := range 1 << 16 {
		if n > 0 {
			flow.SrcPort = uint16(1<<15 + n - 1)
		}
		if flow.SrcPort == 0 {
			continue
		}
		frame = flow.AppendTo(frame[:0], nil)
		if Explain(p, frame, tag).Port == port {
			return flow.SrcPort, nil
		}
	}
	return 0, fmt.Errorf("find source port: the choice does not depend on it (%s, %s): %w", p.Select, p.Hash, ErrNoSourcePort)
}
