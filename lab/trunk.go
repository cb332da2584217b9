package lab

import (
	"bytes"
	"context"
	"fmt"
	"hash/fnv"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/lacp"
	"github.com/yokelag/yoke/policy"
	"github.com/yokelag/yoke/wire/slow"
)

// trunk is a group of a switch of kind lacp.
type trunk struct {
	name    string
	members []string // devices
	first   uint16   // the number of the first one in LACPDUs
	config  lacp.Config
	system  *lacp.System // nil while the switch has forgotten the group
}

// newTrunk makes a group. Its systems are told apart by the key, as those of a real switch.
func newTrunk(sw, group string, key, first uint16, def Switch) (*trunk, error) {
	t := &trunk{name: group, members: def.Groups[group], first: first}
	h := fnv.New32a()
	_, _ = h.Write([]byte(sw)) // never fails
	mac := agg.MAC{2, 0x5c, byte(h.Sum32() >> 16), byte(h.Sum32() >> 8), byte(h.Sum32()), 0}
	t.config = lacp.Config{System: mac, SystemPriority: 32768, Active: !def.Passive, Short: def.LACPRate == "fast", Strict: true}
	for i, device := range t.members {
		p := lacp.Port{Number: first + uint16(i), Name: device, MAC: mac, Priority: 255, Key: key}
		p.MAC[5] = byte(p.Number)
		t.config.Ports = append(t.config.Ports, p)
	}
	return t, t.know(true)
}

// know begins the group anew, or forgets it.
func (t *trunk) know(yes bool) (err error) {
	t.system = nil
	if yes {
		t.system, err = lacp.New(t.config)
	}
	return err
}

func (t *trunk) known() bool { return t.system != nil }

// outlet cannot be the name of a device.
func (t *trunk) outlet() string { return "group/" + t.name }

func (t *trunk) number(device string) uint16 {
	return t.first + uint16(slices.Index(t.members, device))
}

// links is what the machines are told of the links.
func (t *trunk) links(now agg.Instant, up map[string]bool) (in []lacp.Input) {
	for _, device := range t.members {
		in = append(in, lacp.Input{At: now, Kind: lacp.LinkChanged, Port: t.number(device),
			Link: lacp.Link{Up: up[device], Speed: 10000, FullDuplex: true}})
	}
	return in
}

func (t *trunk) received(now agg.Instant, device string, frame []byte) lacp.Input {
	return lacp.Input{At: now, Kind: lacp.Received, Port: t.number(device), Frame: frame}
}

func (t *trunk) receives(device string) bool {
	receives, _ := t.system.Open(t.number(device))
	return receives
}

// choose returns the member by which a frame leaves, empty where none may send. A member
// that goes moves its own flows and no others.
func (t *trunk) choose(frame []byte) (device string) {
	flow := policy.Hash(agg.HashLayer34, frame, policy.Tag{})
	best := uint32(0)
	for _, m := range t.members {
		if _, sends := t.system.Open(t.number(m)); !sends {
			continue
		}
		if score := mixed(flow, uint32(t.number(m))); device == "" || score > best {
			device, best = m, score
		}
	}
	return device
}

// mixed scores a flow on a port: the highest score has it.
func mixed(flow, port uint32) uint32 {
	x := flow ^ port*0x9e3779b9
	x = (x ^ x>>16) * 0x85ebca6b
	x = (x ^ x>>13) * 0xc2b2ae35
	return x ^ x>>16
}

// act gives inputs to the machines of a group and sends what they say. mu is held.
func (f *fabric) act(t *trunk, inputs ...lacp.Input) {
	if !t.known() {
		return
	}
	for _, in := range inputs {
		for _, s := range t.system.Step(in).Send {
			f.ports[t.members[s.Port-t.first]].write(append(make([]byte, vnetHeaderLen), s.Frame...))
		}
	}
}

// keepTime lets the machines' timers run until the switch stops.
func (f *fabric) keepTime() {
	for {
		f.mu.Lock()
		next := agg.Never
		for _, t := range f.trunks {
			if !t.known() {
				continue
			}
			if at := t.system.Deadline(); at != agg.Never && f.clock.Now() >= at {
				f.act(t, lacp.Input{At: f.clock.Now(), Kind: lacp.Tick})
			}
			next = agg.Earliest(next, t.system.Deadline())
		}
		f.mu.Unlock()
		pause := time.Hour
		if next != agg.Never {
			pause = max(0, next.Sub(f.clock.Now()))
		}
		timer := time.NewTimer(pause)
		select {
		case <-f.stop:
			timer.Stop()
			return
		case <-f.wake:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// hurry makes keepTime look at the deadlines again.
func (f *fabric) hurry() {
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

func (f *fabric) regroup(_ context.Context, group string, known bool) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, t := range f.trunks {
		if t.name != group {
			continue
		}
		if err := t.know(known); err != nil {
			return err
		}
		clear(f.learned)
		up := map[string]bool{}
		for device, p := range f.ports {
			up[device] = p.up
		}
		f.act(t, t.links(f.clock.Now(), up)...)
		f.hurry()
	}
	return nil
}

func (f *fabric) show(context.Context) (string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var b bytes.Buffer
	w := tabwriter.NewWriter(&b, 0, 8, 2, ' ', 0)
	for _, t := range f.trunks {
		if !t.known() {
			fmt.Fprintf(w, "group %s: forgotten\n", t.name)
			continue
		}
		fmt.Fprintf(w, "group %s: system %v\n", t.name, t.config.System)
		for i, device := range t.members {
			p, _ := t.system.Port(t.first + uint16(i)) // it is one of the system's
			fmt.Fprintf(w, "  %s\t%s\tsends: %v\tactor: %s\tpartner: %v %s\n", device, p.Mux, p.Sends, p.Actor.Words, p.Partner.System, p.Partner.Words)
		}
	}
	err := w.Flush()
	return b.String(), err
}

// isMarker tells a Marker, or its answer, among the slow protocols.
func isMarker(frame []byte) bool {
	return len(frame) > 14 && frame[12] == 0x88 && frame[13] == 0x09 && slow.Subtype(frame[14]) == slow.SubtypeMarker
}
