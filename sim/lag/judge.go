package lag

import (
	"fmt"
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/lacp"
	"github.com/yokelag/yoke/lacp/lacptest"
	"github.com/yokelag/yoke/wire/slow"
)

// witness is what a port has heard and sent, noted on its wire and not in its machine.
type witness struct {
	// inSync and collecting are what the partner said last, if it saw us as we were.
	inSync, collecting bool
	// spoke: a LACPDU was read since the last judgement.
	spoke bool
	// unread counts frames that the machine may leave unread (its own rate limit); what
	// the partner said last is not known for sure then.
	unread uint64
	// lost: its link went down, and has not come back with LACP on.
	lost bool
	// sent are the times of LACPDUs that count for the limit of three, burst those of the
	// last eleven.
	sent  []agg.Instant
	burst []agg.Instant
}

// restarted forgets what the process has forgotten.
func (p *witness) restarted(s *lacp.System, number uint16) {
	if v, _ := s.Port(number); v.Receive == lacp.RxInitialize.String() {
		*p = witness{sent: p.sent[:0], burst: p.burst[:0]}
	}
	p.unread = 0
}

func (p *witness) refused() {
	if n := len(p.sent); n > 0 {
		p.sent = p.sent[:n-1]
	}
}

// heard notes what a partner says, before the machine reads it.
func (w *world) heard(node *lacptest.Node, number uint16, frame []byte) {
	w.cover.Frames++
	f, err := slow.Parse(frame, slow.Addr{})
	if err != nil || f.Subtype != slow.SubtypeLACP {
		return
	}
	pdu, err := slow.ParseLACPDU(f.Payload)
	s := w.of(node)
	us, _ := s.lacp.Port(number)
	off := us.Receive == lacp.RxPortDisabled.String() || us.Receive == lacp.RxLACPDisabled.String()
	if err != nil || off || node.Machine == (lacptest.Machine)(dead{}) {
		return
	}
	p := &s.ports[number-1]
	matched := pdu.Partner.SameIDs(infoOf(us.Actor)) && (pdu.Partner.State^us.Actor.State)&slow.Aggregation == 0 ||
		!pdu.Actor.State.Has(slow.Aggregation)
	maintained := pdu.Actor.State.Has(slow.Activity) || us.Actor.State.Has(slow.Activity) && pdu.Partner.State.Has(slow.Activity)
	p.spoke = true
	p.inSync = matched && maintained && pdu.Actor.State.Has(slow.Synchronization)
	p.collecting = pdu.Actor.State.Has(slow.Collecting)
}

func infoOf(e lacp.End) slow.Info {
	return slow.Info{SystemPriority: e.SystemPriority, System: slow.Addr(e.System), Key: e.Key, PortPriority: e.PortPriority, Port: e.Port, State: e.State}
}

// moved forgets what a port heard before its partner was given up, and begins the limit
// anew when its link comes back.
func (w *world) moved(node *lacptest.Node, m lacp.Move) {
	w.cover.Moves++
	if w.story != nil {
		fmt.Fprintf(w.story, "%v   %s%d %v\n", w.net.Now, node.Name, m.Port, m)
	}
	s := w.of(node)
	p := &s.ports[m.Port-1]
	switch m.Row {
	case lacp.RX03:
		p.inSync, p.lost = false, true
	case lacp.RX04, lacp.RX09, lacp.RX13, lacp.RX14:
		p.inSync = false
	case lacp.RX05:
		if p.lost && s.conf.Wait != lacp.WaitStrict {
			p.sent = p.sent[:0]
		}
		p.lost = false
	default: // other rows change neither
	}
}

// sent counts LACPDUs against their limits.
func (w *world) sent(node *lacptest.Node, f lacp.Send) {
	if w.story != nil {
		fmt.Fprintf(w.story, "%v   %s%d sends\n", w.net.Now, node.Name, f.Port)
	}
	if !f.LACPDU {
		return
	}
	p := &w.of(node).ports[f.Port-1]
	p.sent = keep(p.sent, w.net.Now, lacp.TransmitLimit+1)
	p.burst = keep(p.burst, w.net.Now, 11)
	switch {
	case w.wrong != nil:
	case full(p.sent, lacp.TransmitLimit+1):
		w.wrong = fmt.Errorf("%s%d sends its fourth LACPDU within a second", node.Name, f.Port)
	case full(p.burst, 11):
		w.wrong = fmt.Errorf("%s%d sends its eleventh LACPDU within a second", node.Name, f.Port)
	}
}

// keep adds a time to the last n.
func keep(times []agg.Instant, now agg.Instant, n int) []agg.Instant {
	if len(times) == n {
		times = append(times[:0], times[1:]...)
	}
	return append(times, now)
}

// full reports n times within less than a second.
func full(times []agg.Instant, n int) bool {
	return len(times) == n && times[n-1].Sub(times[0]) < time.Second
}

// check judges a system after a step.
func (w *world) check(node *lacptest.Node) error {
	w.cover.Steps++
	if w.wrong != nil {
		return w.wrong
	}
	s := w.of(node)
	if node.Machine == (lacptest.Machine)(dead{}) {
		return nil
	}
	if err := lacptest.Invariants(s.lacp); err != nil {
		return err
	}
	views := make([]lacp.PortView, len(s.ports))
	for i := range views {
		views[i], _ = s.lacp.Port(uint16(i + 1))
		if err := w.checkPort(s, &views[i]); err != nil {
			return fmt.Errorf("port %d: %w", i+1, err)
		}
	}
	if err := together(views); err != nil {
		return err
	}
	return forgotten(s, views)
}

// checkPort: a port goes by the last word of who is really there.
func (w *world) checkPort(s *system, v *lacp.PortView) error {
	p := &s.ports[v.Number-1]
	switch limited := v.Counters.RxLimited != p.unread; {
	case limited:
	case v.Partner.State.Has(slow.Synchronization) && !p.inSync:
		return fmt.Errorf("takes a partner to be in sync that did not say so")
	case v.Mux == lacp.MuxDistributing.String() && !p.collecting:
		return fmt.Errorf("distributes to a partner that does not collect")
	}
	if !v.Sends || v.Fallback {
		return nil
	}
	peer, number := s.node.Peer(v.Number)
	if peer == nil {
		return fmt.Errorf("sends without a cable")
	}
	if real := w.of(peer).conf.System; v.Partner.System != real || v.Partner.Port != number {
		return fmt.Errorf("sends to %v port %d, and its cable ends at %v port %d", v.Partner.System, v.Partner.Port, real, number)
	}
	return nil
}

// together: one aggregator carries.
func together(views []lacp.PortView) error {
	var first *lacp.PortView
	for i := range views {
		v := &views[i]
		switch {
		case !v.Sends || v.Fallback:
		case first == nil:
			first = v
		case v.Aggregator != first.Aggregator || v.Partner.System != first.Partner.System || v.Partner.Key != first.Partner.Key:
			return fmt.Errorf("ports %d and %d send in two aggregators", first.Number, v.Number)
		}
	}
	return nil
}

// quiet: what was read in a deed is not judged by what the deed did afterwards.
func (w *world) quiet() {
	for _, s := range w.systems {
		for i := range s.ports {
			s.ports[i].spoke = false
		}
	}
}

// forgotten: what a port that is down remembers is not heard on another (port_moved,
// 802.1AX-2014 clause 6.4.8).
func forgotten(s *system, views []lacp.PortView) error {
	for i := range views {
		if !s.ports[i].spoke {
			continue
		}
		s.ports[i].spoke = false
		q := &views[i]
		for j := range views {
			p := &views[j]
			if p != q && p.Receive == lacp.RxPortDisabled.String() && !p.Actor.State.Has(slow.Defaulted) &&
				p.Partner.System == q.Partner.System && p.Partner.Port == q.Partner.Port {
				return fmt.Errorf("port %d is down and remembers %v port %d, which speaks on port %d", p.Number, p.Partner.System, p.Partner.Port, q.Number)
			}
		}
	}
	return nil
}
