package engine

import (
	"context"
	"fmt"
	"slices"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/lacp"
	"github.com/yokelag/yoke/policy"
)

// framesAtOnce bounds the frames of one turn, so that a flood leaves time for the rest.
const framesAtOnce = 256

// stepLACP is the one way into the machines.
func (e *Engine) stepLACP(in lacp.Input) lacp.Output {
	l := &e.lag
	out := e.steps.Step(l.system, in)
	l.replan = l.replan || out.Replan
	l.moves = append(l.moves, out.Moves...)
	for _, s := range out.Send {
		l.sends = append(l.sends, pdu{s.Port, slices.Clone(s.Frame), s.Behind, s.LACPDU})
	}
	return out
}

// agree gives the machines what is known now: configuration, links, frames, time.
func (e *Engine) agree(ctx context.Context, now agg.Instant, links []agg.LinkFacts) {
	l := &e.lag
	if !e.machines(ctx, now, links) {
		l.replan, l.relook = false, false
		e.dropKept(nil)
		return
	}
	e.listen(links)
	for i, link := range links {
		number := l.number(e.config.Ports[i].Name)
		if link.Present {
			l.index[number] = link.Index
		} else {
			delete(l.index, number) // the kernel may give it to another
		}
		up := link.Present && link.AdminUp && e.ports[link.Name].verdict.Phase.Usable()
		e.stepLACP(lacp.Input{At: now, Kind: lacp.LinkChanged, Port: number,
			Link: lacp.Link{Up: up, Speed: link.Speed, FullDuplex: link.FullDuplex}})
	}
	if e.w.Slow == nil {
		return
	}
	late := l.late
	l.late, l.relook = nil, false
	for _, f := range late {
		e.stepLACP(lacp.Input{At: now, Kind: lacp.Received, Port: f.port, Frame: f.frame})
	}
	e.takeFrames(now)
	e.stepLACP(lacp.Input{At: now, Kind: lacp.Tick})
	l.replan = false // a plan follows in any case
}

// listen opens the ear on the ports that there are.
func (e *Engine) listen(links []agg.LinkFacts) {
	l := &e.lag
	if e.w.Slow == nil {
		return
	}
	if l.ear == nil {
		l.ear = e.w.Slow.Listen()
	}
	var want []int
	for _, link := range links {
		if link.Present {
			want = append(want, link.Index)
		}
	}
	if l.deaf == nil && slices.Equal(want, l.hears) {
		return
	}
	err := l.ear.Hear(want)
	if err != nil && l.deaf == nil {
		e.record(agg.Event{Kind: "lacp", Cause: "deaf", Text: fmt.Sprintf("cannot hear LACP: %v", err)})
	}
	l.hears, l.deaf = want, err
}

// takeFrames reads the receive queues, which comes before a Tick: timers run there only.
func (e *Engine) takeFrames(now agg.Instant) {
	l := &e.lag
	if l.ear == nil {
		return
	}
	for range framesAtOnce {
		index, frame, ok := l.ear.Take()
		if !ok {
			return
		}
		number, ours := l.portOf(index)
		if !ours {
			continue
		}
		if out := e.stepLACP(lacp.Input{At: now, Kind: lacp.Received, Port: number, Frame: frame}); out.ReadLinks {
			l.relook = true
			l.keepLate(number, frame)
		}
	}
}

// keepLate keeps the newest frame of a port whose link may be up by now.
func (l *lag) keepLate(number uint16, frame []byte) {
	l.late = slices.DeleteFunc(l.late, func(f heardFrame) bool { return f.port == number })
	l.late = append(l.late, heardFrame{number, slices.Clone(frame)})
}

func (l *lag) portOf(index int) (uint16, bool) {
	for number, i := range l.index {
		if i == index {
			return number, true
		}
	}
	return 0, false
}

// turn serves frames and timers of LACP alone. It reports whether a whole round must
// follow, since a plan or the links depend on them.
func (e *Engine) turn(ctx context.Context) bool {
	l := &e.lag
	if l.system == nil {
		return true
	}
	now := e.w.Clock.Now()
	e.takeFrames(now)
	e.stepLACP(lacp.Input{At: now, Kind: lacp.Tick})
	if l.replan || l.relook {
		return true
	}
	e.speak(ctx)
	anew := e.noteLACP()
	if anew {
		e.save()
	}
	e.keepAlive(anew)
	return false
}

// lacpAt is when the machines have something to do.
func (e *Engine) lacpAt() agg.Instant {
	if e.lag.system == nil || e.w.Slow == nil {
		return agg.Never
	}
	return e.lag.system.Deadline()
}

// lacpOnly reports whether of all that waits for a time only LACP's is due.
func (e *Engine) lacpOnly() bool {
	now, at := e.w.Clock.Now(), agg.Earliest(e.lacpAt(), e.beatDue())
	others := e.deadline()
	return at != agg.Never && !now.Before(at) && (others == agg.Never || now.Before(others))
}

// earWake is nil, which never wakes, where nothing is heard.
func (e *Engine) earWake() <-chan struct{} {
	if e.lag.ear == nil {
		return nil
	}
	return e.lag.ear.Wake()
}

// speak sends what the machines had to say. What a LACPDU promises must be in force: one
// that says that we collect waits where the plan does not let the port receive yet.
func (e *Engine) speak(ctx context.Context) {
	l := &e.lag
	sends := l.sends
	l.sends = nil
	for _, s := range sends {
		err := e.mayPromise(s.port)
		if err == nil && l.ear != nil {
			err = l.ear.Send(ctx, l.index[s.port], s.frame, s.behind)
		}
		now := e.w.Clock.Now()
		e.noteSpoken(s, now, err)
		if err != nil && s.lacpdu {
			e.stepLACP(lacp.Input{At: now, Kind: lacp.SendFailed, Port: s.port})
		}
	}
}

// mayPromise is nil where the published plan receives on the port if LACP does.
func (e *Engine) mayPromise(number uint16) error {
	receives, _ := e.lag.system.Open(number)
	i := e.plane.published.PortByName(e.lag.nameOf(number))
	if !receives || i >= 0 && e.plane.published.Ports[i].Receive {
		return nil
	}
	return fmt.Errorf("the plan does not receive on port %d yet", number)
}

// noteSpoken keeps for the next daemon that the port has spoken, and records the first
// of several failures.
func (e *Engine) noteSpoken(s pdu, now agg.Instant, err error) {
	l := &e.lag
	switch {
	case err == nil:
		delete(l.mute, s.port)
	case !l.mute[s.port]:
		l.mute[s.port] = true
		name := l.nameOf(s.port)
		e.record(agg.Event{Kind: "lacp", Cause: "send-failed", Port: name, Text: fmt.Sprintf("%s: cannot send LACPDUs: %v", name, err)})
	}
	if store, ok := e.w.Store.(SpokenStore); ok && err == nil && s.lacpdu {
		_ = store.SaveSpoken(s.port, now) // the next daemon begins the port anew, at worst
	}
}

// agreed is what the policy is told of a port.
func (e *Engine) agreed(name string) policy.Agreement {
	l := &e.lag
	if l.system == nil {
		return policy.Agreement{}
	}
	number := l.number(name)
	receives, sends := l.system.Open(number)
	g := l.system.Gate(number)
	return policy.Agreement{Receives: receives, Sends: sends, Yields: l.system.Yields(number), Reason: string(g.Reason), Detail: g.Detail}
}

func (e *Engine) lacpCarrier() bool { return e.lag.system != nil && e.lag.system.Carrier() }

// stopHearing ends with the engine; the partner may go on hearing of us by others.
func (e *Engine) stopHearing() {
	if e.lag.ear != nil {
		_ = e.lag.ear.Close() // there is nothing left to do with it
	}
}
