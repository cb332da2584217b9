package engine

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/lacp"
)

// lag is the LACP of an aggregate: the machines, and what goes in and out of them.
type lag struct {
	ear    Ear
	hears  []int
	system *lacp.System // nil until the aggregate has an address, and in other modes
	config lacp.Config
	saved  *lacp.Saved // what system is to go on from
	// numbers are those of ports in LACPDUs, kept while a port is there.
	numbers map[string]uint16
	index   map[uint16]int // ifindexes, by number
	sends   []pdu
	moves   []lacp.Move
	late    []heardFrame // came before their link was seen up
	relook  bool
	left    bool // for good
	replan  bool
	// known are the two ends of each port as they were saved last.
	known map[uint16][2]lacp.End
	// mute are the ports that could not send.
	mute map[uint16]bool
	deaf error
}

// pdu is a frame to be sent when the plan is in force that it speaks of.
type pdu struct {
	port   uint16
	frame  []byte
	behind bool
	lacpdu bool
}

type heardFrame struct {
	port  uint16
	frame []byte
}

// SavedLACP is what the LACP of an aggregate goes on from.
type SavedLACP struct {
	// Numbers are those of ports in LACPDUs, by name.
	Numbers map[string]uint16 `json:"numbers"`
	System  lacp.Saved        `json:"system"`
}

func (s *SavedLACP) clone() *SavedLACP {
	if s == nil {
		return nil
	}
	out := *s
	out.Numbers = map[string]uint16{}
	maps.Copy(out.Numbers, s.Numbers)
	out.System.Ports = slices.Clone(s.System.Ports)
	return &out
}

func (e *Engine) restoreLACP(s *SavedLACP) {
	e.lag = lag{numbers: map[string]uint16{}, index: map[uint16]int{}, known: map[uint16][2]lacp.End{}, mute: map[uint16]bool{}}
	if s != nil {
		e.lag.numbers, e.lag.saved = s.Numbers, &s.System
	}
}

// savedLACP is nil where no machine runs.
func (e *Engine) savedLACP() *SavedLACP {
	l := &e.lag
	if l.system == nil {
		return nil
	}
	s := &SavedLACP{Numbers: map[string]uint16{}, System: l.system.Save()}
	for _, p := range e.config.Ports {
		if n, ok := l.numbers[p.Name]; ok {
			s.Numbers[p.Name] = n
		}
	}
	return s
}

// number gives a port the lowest number that is free.
func (l *lag) number(name string) uint16 {
	if n, ok := l.numbers[name]; ok {
		return n
	}
	taken := map[uint16]bool{}
	for _, n := range l.numbers {
		taken[n] = true
	}
	n := uint16(1)
	for taken[n] {
		n++
	}
	l.numbers[name] = n
	return n
}

// rename leaves a port its number, and with it all that LACP knows of it, under another name.
func (l *lag) rename(from, to string) {
	if n, ok := l.numbers[from]; ok {
		delete(l.numbers, from)
		l.numbers[to] = n
	}
}

// forgetNumbers frees the numbers of ports that are gone for good.
func (e *Engine) forgetNumbers() {
	for name, n := range e.lag.numbers {
		if _, there := e.config.PortConfig(name); !there {
			delete(e.lag.numbers, name)
			delete(e.lag.index, n)
			delete(e.lag.known, n)
			delete(e.lag.mute, n)
		}
	}
}

// nameOf returns the port of a number, empty where there is none.
func (l *lag) nameOf(number uint16) string {
	for name, n := range l.numbers {
		if n == number {
			return name
		}
	}
	return ""
}

// lacpConfig is what the machines are to do.
func (e *Engine) lacpConfig(links []agg.LinkFacts) lacp.Config {
	c := e.config.LACP
	out := lacp.Config{
		System: c.System, SystemPriority: c.SystemPriority, Active: c.Active, Short: c.Fast,
		AskBack: e.w.KeepAlive != nil && c.MaxOrphan > 0,
		Coupled: c.Coupled, Strict: c.Strict, MinLinks: c.MinLinks, MaxLinks: c.MaxLinks,
		Policy: lacp.Policy(c.Select), UserKey: c.UserKey, Wait: lacp.Wait(c.Wait),
		Fallback: lacp.Fallback(c.Fallback), FallbackAfter: c.FallbackTimeout,
		Yield: e.yieldTime(), WaitToRestore: c.WaitToRestore, NonRevertive: !c.Revertive,
	}
	if out.System.IsZero() {
		out.System = e.mac
	}
	for i, p := range e.config.Ports {
		out.Ports = append(out.Ports, lacp.Port{
			Number: e.lag.number(p.Name), Name: p.Name, MAC: e.ownMAC(links[i]),
			Priority: p.LACPPriority, Key: p.LACPKey, Prio: p.Prio, Sticky: p.Sticky,
		})
	}
	slices.SortFunc(out.Ports, func(a, b lacp.Port) int { return int(a.Number) - int(b.Number) })
	return out
}

// ownMAC is the address that the port had before it was one: LACPDUs come from it.
func (e *Engine) ownMAC(l agg.LinkFacts) agg.MAC {
	if own, ok := e.policy.Own[l.Name]; ok && (own.Index == l.Index || !l.Present) {
		return own.MAC
	}
	return l.MAC
}

// machines makes the system as the configuration wants it. It returns false where there
// is none to step.
func (e *Engine) machines(ctx context.Context, now agg.Instant, links []agg.LinkFacts) bool {
	l := &e.lag
	if e.config.Mode != agg.LACP || e.mac.IsZero() || l.left {
		return false
	}
	config := e.lacpConfig(links)
	if l.system == nil {
		e.heedKept(links)
		// Loading what reads that takes seconds on a slow machine, for which partners cannot
		// have been heard.
		return e.newSystem(config, e.w.Clock.Now())
	}
	if !reflect.DeepEqual(config, l.config) {
		if err := config.Check(); err != nil {
			l.deaf = fmt.Errorf("LACP of %s: %w", e.name, err)
			return true
		}
		l.config = config
		e.reconfigure(ctx, now, config)
	}
	return true
}

func (e *Engine) newSystem(config lacp.Config, now agg.Instant) bool {
	l := &e.lag
	system, err := lacp.New(config)
	if err != nil {
		l.deaf = fmt.Errorf("LACP of %s: %w", e.name, err)
		return false
	}
	l.system, l.config = system, config
	if l.saved == nil {
		return true
	}
	if e.w.Slow == nil { // as the daemon left it, for one who only looks
		now = l.saved.At
	}
	resumed := system.Restore(*l.saved, now)
	if e.w.Slow != nil {
		e.record(agg.Event{Kind: "lacp", Cause: "resumed", Text: fmt.Sprintf("LACP goes on with %d of %d ports as they were", resumed, len(l.saved.Ports))})
	}
	l.saved = nil
	return true
}

// reconfigure sends the last words of ports that are gone at once, while they are ours.
func (e *Engine) reconfigure(ctx context.Context, now agg.Instant, config lacp.Config) {
	l := &e.lag
	before := len(l.sends)
	e.dropKept(config.Ports)
	e.stepLACP(lacp.Input{At: now, Kind: lacp.Configure, Conf: &config})
	keep := l.sends[:before]
	for _, s := range l.sends[before:] {
		gone := !slices.ContainsFunc(config.Ports, func(p lacp.Port) bool { return p.Number == s.port })
		if !gone {
			keep = append(keep, s)
			continue
		}
		if l.ear != nil {
			_ = l.ear.Send(ctx, l.index[s.port], s.frame, s.behind) // the partner would find out by itself
		}
	}
	l.sends = keep
}
