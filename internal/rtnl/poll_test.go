package rtnl

import (
	"testing"
	"time"
)

// TestPollsComeTogether: subscriptions that came at different times are soon polled at the
// same wake-ups, each as often as its period asks, and one with a period of its own is not
// held up or hurried by them.
func TestPollsComeTogether(t *testing.T) {
	const many, c = 500, cost(3 * time.Microsecond)
	l := &Listener{subs: map[*subscription]struct{}{}, byName: map[string][]*subscription{}}
	start := time.Now()
	polls, last := map[*subscription]int{}, map[*subscription]time.Time{}
	add := func(poll, after time.Duration, adapt bool) *subscription {
		s := &subscription{names: map[string]struct{}{"a": {}, "b": {}, "c": {}}, poll: poll, adapt: adapt, due: start.Add(after)}
		l.add(s)
		return s
	}
	for i := range many {
		add(100*time.Millisecond, time.Duration(i)*3*time.Millisecond, true)
	}
	want := period(100*time.Millisecond, c.of(3*many), time.Hour)
	own := add(10*time.Millisecond, 0, false)

	wakes, longest := 0, time.Duration(0)
	settled, end := start.Add(4*want), start.Add(14*want)
	at := start
	for at.Before(end) {
		due := l.dueAt(at, c)
		if len(due) > together {
			t.Fatalf("%d are polled at once", len(due))
		}
		for _, s := range due {
			if s == own && at.After(settled) && at.Sub(last[s]) > 12*time.Millisecond {
				t.Errorf("one polled every 10 ms waited %v", at.Sub(last[s]))
			}
			if s.adapt && at.After(settled) {
				longest = max(longest, at.Sub(last[s]))
				polls[s]++
			}
			last[s] = at
		}
		if at.After(settled) && (len(due) != 1 || due[0] != own) {
			wakes++
		}
		next, any := l.plan(due, at, c)
		if !any {
			t.Fatal("nothing is due any more")
		}
		at = later(at.Add(time.Millisecond), next)
	}
	if longest > want+want/10 {
		t.Errorf("one was not polled for %v, the period is %v", longest, want)
	}
	if len(polls) != many {
		t.Errorf("%d of %d were polled", len(polls), many)
	}
	for _, n := range polls {
		if n > 12 {
			t.Fatalf("polled %d times in 10 periods", n)
		}
	}
	if most := 10 * (many/together + 4); wakes > most {
		t.Errorf("%d wake-ups for 10 periods, more than %d", wakes, most)
	}
	for s := range l.subs {
		l.remove(s)
		l.remove(s)
	}
	if l.adapting != 0 {
		t.Errorf("%d interfaces are polled for nobody", l.adapting)
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
