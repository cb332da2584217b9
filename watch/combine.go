package watch

import (
	"cmp"
	"slices"

	"github.com/yokelag/yoke/agg"
)

// All returns a watch that is up while all of watches are. Without any it is up.
func All(watches ...Watch) Watch { return &combined{parts: watches, worst: true} }

// Any returns a watch that is up while any of watches is. Without any it is down.
func Any(watches ...Watch) Watch { return &combined{parts: watches} }

// combined takes the verdict of its worst or of its best part.
type combined struct {
	parts []Watch
	worst bool
}

// Step implements Watch. Every part is stepped, decisive or not.
func (c *combined) Step(in Input) Output {
	var out Output
	var verdicts []Verdict
	for _, w := range c.parts {
		o := w.Step(in)
		verdicts = append(verdicts, o.Verdict)
		out.Send = append(out.Send, o.Send...)
	}
	if len(verdicts) == 0 {
		verdicts = []Verdict{c.empty(in.Now)}
	}
	out.Verdict = slices.MinFunc(verdicts, func(a, b Verdict) int {
		if c.worst {
			return a.compare(b)
		}
		return b.compare(a)
	})
	return out
}

func (c *combined) empty(now agg.Instant) Verdict {
	v := Verdict{Since: now, Reason: ReasonNotWatched, Detail: "no watch is configured"}
	if c.worst {
		v.Phase = Up
	}
	return v
}

// compare orders verdicts from bad to good: down, rising (the longer the wait the
// worse), falling (the shorter the rest the worse), up. Of equal ones the newer is worse.
func (v Verdict) compare(w Verdict) int {
	if a, b := v.rank(), w.rank(); a != b {
		return a - b
	}
	a, b := v.Remaining, w.Remaining
	if v.Phase == Rising {
		a, b = b, a
	}
	if a != b {
		return cmp.Compare(a, b)
	}
	return cmp.Compare(w.Since, v.Since)
}

func (v Verdict) rank() int {
	return slices.Index([]Phase{Down, Rising, Falling, Up}, v.Phase)
}

// Deadline implements Watch.
func (c *combined) Deadline() agg.Instant {
	at := agg.Never
	for _, w := range c.parts {
		at = agg.Earliest(at, w.Deadline())
	}
	return at
}

// Wants implements Watch.
func (c *combined) Wants() agg.FrameClass {
	var all agg.FrameClass
	for _, w := range c.parts {
		all |= w.Wants()
	}
	return all
}

// State implements Watch.
func (c *combined) State() State {
	s := State{Known: true}
	for _, w := range c.parts {
		s.Parts = append(s.Parts, w.State())
	}
	return s
}

// Restore implements Watch. A state of other parts than these is ignored.
func (c *combined) Restore(s State) {
	if len(s.Parts) != len(c.parts) {
		return
	}
	for i, w := range c.parts {
		w.Restore(s.Parts[i])
	}
}
