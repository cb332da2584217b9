package engine

import (
	"fmt"
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/lacp"
	"github.com/yokelag/yoke/wire/slow"
)

// kept is what an engine has told its KeepAlive.
type kept struct {
	beatAt agg.Instant
	// ports are by number.
	ports map[uint16]keptPort
	// failed and unmended are the last errors, which are told once.
	failed, unmended error
}

type keptPort struct {
	index int
	words Words
}

// heedKept moves on when the ports have spoken for the last time, by what has spoken for
// them since the state was saved. A port that was given up begins anew.
func (e *Engine) heedKept(links []agg.LinkFacts) {
	l := &e.lag
	if e.w.KeepAlive == nil || e.w.Slow == nil || l.saved == nil {
		return
	}
	for i := range l.saved.Ports {
		p := &l.saved.Ports[i]
		for _, link := range links {
			if n, known := l.numbers[link.Name]; known && n == p.Number && link.Present {
				e.heedPort(p, link)
			}
		}
	}
}

func (e *Engine) heedPort(p *lacp.SavedPort, link agg.LinkFacts) {
	k, ok, err := e.w.KeepAlive.Kept(link.Index)
	switch {
	case err != nil:
		e.record(agg.Event{Kind: "lacp", Cause: "keep-alive-failed", Port: link.Name, Text: fmt.Sprintf("%s: cannot tell what was said while no daemon was there: %v", link.Name, err)})
		return
	case !ok:
		return
	case k.Stopped != "":
		p.Spoken = agg.Never
		e.record(agg.Event{Kind: "lacp", Cause: "kept-alive", Port: link.Name, Text: fmt.Sprintf("%s: was given up while no daemon was there: %s", link.Name, k.Stopped)})
		return
	}
	p.Spoken = max(p.Spoken, k.Spoken)
	if k.Beat != agg.Never && p.State.Rx == lacp.RxCurrent {
		p.Spoken = max(p.Spoken, k.Beat.Add(-periodOf(p.State.Partner)))
	}
	if k.Answers > 0 {
		e.record(agg.Event{Kind: "lacp", Cause: "kept-alive", Port: link.Name, Text: fmt.Sprintf("%s: the partner was answered %d times while no daemon was there", link.Name, k.Answers)})
	}
}

// periodOf is how often we speak to a partner.
func periodOf(partner slow.Info) time.Duration {
	if partner.State.Has(slow.Timeout) {
		return lacp.FastPeriodicTime
	}
	return lacp.SlowPeriodicTime
}

// beatDue is when the next beat is, agg.Never where there is none.
func (e *Engine) beatDue() agg.Instant {
	if e.w.KeepAlive == nil || e.w.Slow == nil || e.lag.system == nil || e.config.Mode != agg.LACP {
		return agg.Never
	}
	return max(1, e.kept.beatAt)
}

// keepAlive beats when it is time, and then, or where something was said anew, tells what
// may be said for us.
func (e *Engine) keepAlive(anew bool) {
	now := e.w.Clock.Now()
	at := e.beatDue()
	if at == agg.Never || !anew && now.Before(at) {
		return
	}
	err := e.w.KeepAlive.Beat(now)
	e.kept.beatAt = now.Add(e.w.KeepAlive.Every())
	for _, n := range e.lag.system.Ports() {
		if failed := e.keepPort(n); failed != nil {
			err = failed
		}
	}
	if err != nil && e.kept.failed == nil {
		e.record(agg.Event{Kind: "lacp", Cause: "keep-alive-failed", Text: fmt.Sprintf("partners would notice if this daemon ended: %v", err)})
	}
	e.kept.failed = err
}

// keepPort waits until the plane has the port: what speaks on it stands behind the plane.
func (e *Engine) keepPort(number uint16) error {
	l := &e.lag
	i := e.plane.published.PortByName(l.nameOf(number))
	v, ok := l.system.Port(number)
	if !ok || i < 0 || e.plane.published.Ports[i].Index == 0 || e.plane.published.Ports[i].Index != l.index[number] {
		return nil
	}
	p := keptPort{index: l.index[number], words: Words{
		Speak:     v.Receive == lacp.RxCurrent.String() && !v.Fallback && e.config.LACP.MaxOrphan > 0,
		MaxOrphan: e.config.LACP.MaxOrphan,
		Actor:     infoOf(v.Actor), Partner: infoOf(v.Partner), MAC: l.macOf(number),
	}}
	was, known := e.kept.ports[number]
	if known && was == p {
		return nil
	}
	if known && was.index != p.index {
		_ = e.w.KeepAlive.Remove(was.index) // it is gone, or somebody else's
	}
	if err := e.w.KeepAlive.Set(p.index, p.words); err != nil {
		return err
	}
	if e.kept.ports == nil {
		e.kept.ports = map[uint16]keptPort{}
	}
	e.kept.ports[number] = p
	return nil
}

// mendKept looks whether what speaks is still on the ports.
func (e *Engine) mendKept() {
	if e.beatDue() == agg.Never {
		return
	}
	n, err := e.w.KeepAlive.Mend()
	switch {
	case err != nil && e.kept.unmended == nil:
		e.record(agg.Event{Kind: "lacp", Cause: "keep-alive-failed", Text: fmt.Sprintf("partners would notice if this daemon ended: %v", err)})
	case n > 0:
		e.record(agg.Event{Kind: "lacp", Cause: "keep-alive-mended", Text: fmt.Sprintf("what speaks for a daemon that has ended was missing on %d of the ports, and is back", n)})
	}
	e.kept.unmended = err
}

// dropKept ends it for the ports that are none of the system's any more.
func (e *Engine) dropKept(ports []lacp.Port) {
	for n, p := range e.kept.ports {
		stays := false
		for _, q := range ports {
			stays = stays || q.Number == n
		}
		if stays {
			continue
		}
		if err := e.w.KeepAlive.Remove(p.index); err != nil {
			e.record(agg.Event{Kind: "lacp", Cause: "keep-alive-failed", Text: err.Error()})
		}
		delete(e.kept.ports, n)
	}
}

func (l *lag) macOf(number uint16) agg.MAC {
	for _, p := range l.config.Ports {
		if p.Number == number {
			return p.MAC
		}
	}
	return agg.MAC{}
}

func infoOf(e lacp.End) slow.Info {
	return slow.Info{SystemPriority: e.SystemPriority, System: slow.Addr(e.System), Key: e.Key, PortPriority: e.PortPriority, Port: e.Port, State: e.State}
}
