package lag

import (
	"fmt"
	"time"

	"github.com/yokelag/yoke/lacp"
)

// deed is what happens to a world between two pauses.
type deed uint8

const (
	cut       deed = iota // a cable is pulled
	plug                  // and put back
	dark                  // one end loses its link, or its full duplex, the other does not
	deafen                // one end hears nothing, and has a link
	loosen                // a cable loses, doubles and delays as it likes from now on
	move                  // a cable ends at another port of any partner, or two are swapped
	drain                 // a port is drained
	undrain               // and taken back
	stall                 // a system has no processor time for a while
	restart               // a system dies, and goes on from its saved state
	crash                 // a system dies, and begins anew
	configure             // a system is configured otherwise
	refuse                // a socket takes back the last LACPDU
	deeds
)

var deedNames = [deeds]string{ //nolint:gochecknoglobals // a constant table
	"cut", "plug", "dark", "deafen", "loosen", "move", "drain", "undrain", "stall", "restart", "crash", "configure", "refuse",
}

// String names the deed.
func (d deed) String() string {
	if d >= deeds {
		return "unknown"
	}
	return deedNames[d]
}

// likely holds each deed as often as it is to happen.
var likely = [...]deed{ //nolint:gochecknoglobals // a constant table
	cut, cut, cut, plug, plug, plug, plug, dark, dark, deafen, deafen, loosen, loosen, loosen,
	move, move, move, drain, undrain, undrain, stall, restart, crash, configure, configure, refuse,
}

func (w *world) one() deed { return likely[w.random.IntN(len(likely))] }

// pause is mostly short against the timers, and sometimes longer than the short ones.
func (w *world) pause() time.Duration {
	switch n := w.random.IntN(100); {
	case n < 40:
		return time.Duration(w.random.IntN(100)) * time.Millisecond
	case n < 85:
		return time.Duration(w.random.IntN(1500)) * time.Millisecond
	case n < 99:
		return time.Duration(w.random.IntN(8000)) * time.Millisecond
	default:
		return time.Duration(w.random.IntN(120)) * time.Second
	}
}

func (w *world) do(d deed) error {
	w.cover.Deeds[d]++
	c, n := w.cables[w.random.IntN(len(w.cables))], w.systems[w.random.IntN(len(w.systems))]
	if w.story != nil {
		fmt.Fprintf(w.story, "%v %v: cable %d, system %s\n", w.net.Now, d, c.near, n.node.Name)
	}
	coin := w.random.IntN(2) == 0
	switch d {
	case cut:
		w.net.Up(c.wire, false)
	case plug:
		w.net.Up(c.wire, true)
	case dark:
		node, port := w.end(c, coin)
		if w.random.IntN(8) == 0 {
			node.Give(lacp.Input{Kind: lacp.LinkChanged, Port: port, Link: lacp.Link{Up: true, Speed: 100}})
		} else {
			w.net.Link(node, port, false)
		}
	case deafen:
		node, _ := w.end(c, coin)
		c.wire.Deafen(node, w.random.IntN(3) > 0)
	case loosen:
		c.loosen(w.random)
	case move:
		w.move(c)
	case drain, undrain:
		w.drain(n, d == drain)
	case stall:
		return w.stall(n)
	case restart, crash:
		return w.restart(n, d == restart)
	case configure:
		w.configure(n)
	case refuse:
		w.refuse(n)
	default:
		return fmt.Errorf("there is no deed %d", d)
	}
	return nil
}
