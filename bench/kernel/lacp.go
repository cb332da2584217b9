package main

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/yokelag/yoke/wire/slow"
)

// starts is how often each pair is started.
const starts = 5

// speakers are who can be an end of LACP, with their default settings but for the
// bonding driver's miimon, without which it does not see carriers.
func speakers() []subject {
	lacp := flow{mode: "defaults", words: []string{"mode", "802.3ad"}, copies: 1}
	ours := flow{mode: "defaults", words: []string{"mode=802.3ad"}, copies: 1}
	return []subject{
		bonding([2]float64{}, lacp),
		teamd([2]float64{}, lacp, map[string]any{"name": "lacp"}),
		yoke("Yoke ebpf", ours, "plane=ebpf"),
		yoke(byYokeTeam, ours, "plane=team"),
		yoke(byUser, ours, "plane=user"),
	}
}

// lacpStarts measures the pairs of the bonding driver, teamd and Yoke; Yoke's other planes
// start beside the bonding driver only.
func lacpStarts(programs string, rep *report, wanted func(subject) bool) {
	list := speakers()
	for i, a := range list[:3] {
		for j, b := range list {
			if j < i || i > 0 && j > 2 || !wanted(a) && !wanted(b) {
				continue
			}
			l := latency{Part: "LACP, carrier to both ends distributing", By: a.by + " and " + b.by, Settings: "defaults, lacp_rate slow"}
			var all []time.Duration
			for range starts {
				took, r, log, err := lacpStart(programs, a, b)
				if l.Commands = log; err != nil {
					l.Failed, l.Trace = err.Error(), r.trace
					break
				}
				if len(all) == 0 || took > slices.Max(all) {
					l.Trace = r.trace
				}
				all = append(all, took)
			}
			if l.Failed == "" {
				l.take(all)
			}
			rep.addLatency(l)
		}
	}
}

// lacpStart has two ends that never heard of each other, both cables without carrier, and
// returns the time from the carriers to the last end of a cable that says it distributes.
func lacpStart(programs string, a, b subject) (time.Duration, *relay, []string, error) {
	r := &relay{}
	w, err := newWorld(programs)
	if err != nil {
		return 0, r, nil, err
	}
	defer w.close()
	defer r.close()
	for i, h := range []*host{w.near, w.far} {
		for j, name := range ports {
			if r.taps[i][j], err = newTap(h, name); err != nil {
				return 0, r, w.log, err
			}
		}
	}
	if err := errors.Join(a.make(w, w.near), b.make(w, w.far)); err != nil {
		return 0, r, w.log, err
	}
	time.Sleep(rest)
	took, err := r.run(2 * time.Minute)
	return took, r, w.log, err
}

// relay is two cables, each between a tap in one host and one in another.
type relay struct {
	taps         [2][2]*tap
	distributing [2][2]bool
	begin        time.Duration
	// trace has a line for each LACPDU.
	trace []string
	buf   [2048]byte
}

func (r *relay) close() {
	for _, side := range r.taps {
		for _, t := range side {
			if t != nil {
				t.close()
			}
		}
	}
}

// run gives all taps their carrier and passes frames on until every end says in a LACPDU
// that it distributes.
func (r *relay) run(limit time.Duration) (time.Duration, error) {
	r.begin = now()
	var polled []unix.PollFd
	for _, side := range r.taps {
		for _, t := range side {
			if err := t.carrier(true); err != nil {
				return 0, err
			}
			polled = append(polled, unix.PollFd{Fd: int32(t.fd), Events: unix.POLLIN})
		}
	}
	for now()-r.begin < limit {
		for side := range r.taps {
			for cable := range r.taps[side] {
				r.pass(side, cable)
			}
		}
		if r.distributing == [2][2]bool{{true, true}, {true, true}} {
			return now() - r.begin, nil
		}
		_, _ = unix.Poll(polled, 1000) // interrupted or too late: the next turn looks again
	}
	return 0, fmt.Errorf("after %v these ends distribute: %v", limit, r.distributing)
}

// pass gives what one end sent to the other end of its cable.
func (r *relay) pass(side, cable int) {
	for b := r.taps[side][cable].read(r.buf[:]); b != nil; b = r.taps[side][cable].read(r.buf[:]) {
		if f, err := slow.Parse(b, slow.Group()); err == nil && f.Subtype == slow.SubtypeLACP {
			if p, err := slow.ParseLACPDU(f.Payload); err == nil {
				r.trace = append(r.trace, fmt.Sprintf("%.1f ms, %s %s: actor %s, partner %s",
					(now()-r.begin).Seconds()*1000, [2]string{"near", "far"}[side], ports[cable], p.Actor.State.Letters(), p.Partner.State.Letters()))
				r.distributing[side][cable] = p.Actor.State.Has(slow.Synchronization | slow.Collecting | slow.Distributing)
			}
		}
		r.taps[1-side][cable].write(b)
	}
}
