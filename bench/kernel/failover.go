package main

import (
	"fmt"
	"slices"
	"time"
)

const (
	// apart is the time between two frames of the stream.
	apart = 100 * time.Microsecond
	// rest is how long a cable is back before the other one is pulled.
	rest = time.Second
	// patience is how long a failover may take.
	patience = 10 * time.Second
)

// partFailover begins the names of what failovers measures.
const partFailover = "carrier loss to traffic"

// failoverSubjects are aggregates in mode active-backup.
func failoverSubjects() []subject {
	var out []subject
	for _, miimon := range []string{"1", "10", "100"} {
		s := bonding([2]float64{}, flow{mode: "miimon " + miimon, words: []string{"mode", "active-backup", "miimon", miimon}, copies: 1})
		out = append(out, s)
	}
	out = append(out, teamd([2]float64{}, flow{mode: "ethtool", copies: 1}, map[string]any{"name": "activebackup"}))
	for _, words := range [][]string{{byExact, "plane=ebpf"}, {byFast, "plane=ebpf", "fast_path=on"}, {byYokeTeam, "plane=team"}, {byYokeBond, "plane=bonding"}, {byUser, "plane=user"}} {
		out = append(out, yoke(words[0], flow{mode: "defaults", words: append(words[1:], "mode=active-backup"), copies: 1}))
	}
	return out
}

// latency is one figure of the second table, in milliseconds of virtual time.
type latency struct {
	Part string `json:"part"`
	By   string `json:"by"`
	// Settings are those that matter for the figure.
	Settings string    `json:"settings"`
	Median   float64   `json:"median_ms"`
	Worst    float64   `json:"worst_ms"`
	All      []float64 `json:"all_ms"`
	// Lost is the median number of frames, sent 10,000 a second, that were lost.
	Lost     int      `json:"lost"`
	Goal     string   `json:"goal,omitempty"`
	Met      *bool    `json:"met,omitempty"`
	Failed   string   `json:"failed,omitempty"`
	Commands []string `json:"commands"`
	// Trace has the LACPDUs of the slowest start.
	Trace []string `json:"trace,omitempty"`
}

// failovers pulls cables of each kind under each subject.
func failovers(programs string, rep *report, pulls int, wanted func(subject) bool) {
	for _, kind := range []struct {
		part string
		ends func(*world) (ends, error)
		// goal of the median and of the 99th percentile, in milliseconds.
		median, worst float64
	}{{partFailover + ", tap ports", newTapEnds, 3, 12}, {partFailover + ", veth ports", newVethEnds, 1, 3}} {
		for _, s := range failoverSubjects() {
			if !wanted(s) {
				continue
			}
			l := latency{Part: kind.part, By: s.by, Settings: s.mode}
			all, lost, log, err := failoverOf(programs, s, pulls, kind.ends)
			if l.Commands = log; err != nil {
				l.Failed = err.Error()
			} else {
				l.take(all)
				l.Lost = lost
				if s.by == byExact || s.by == byFast || s.by == byYokeTeam || s.by == byYokeBond || s.by == byUser {
					met := l.Median <= kind.median && l.Worst <= kind.worst
					l.Goal, l.Met = fmt.Sprintf("%g / %g", kind.median, kind.worst), &met
				}
			}
			rep.addLatency(l)
		}
	}
}

func (l *latency) take(all []time.Duration) {
	for _, d := range all {
		l.All = append(l.All, d.Seconds()*1000)
	}
	l.Median, l.Worst = median(l.All), slices.Max(l.All)
}

// phase spreads the pulls evenly over the period of the slowest poll, 100 ms.
func phase(i int) time.Duration { return time.Duration(i*61803%100_000) * time.Microsecond }

// failoverOf measures one subject in a world of its own.
func failoverOf(programs string, s subject, pulls int, open func(*world) (ends, error)) (all []time.Duration, lost int, log []string, err error) {
	w, err := newWorld(programs)
	if err != nil {
		return nil, 0, nil, err
	}
	defer w.close()
	e, err := open(w)
	if err != nil {
		return nil, 0, w.log, err
	}
	defer e.close()
	if err := s.make(w, w.near); err != nil {
		return nil, 0, w.log, err
	}
	out, err := between(w.near, s.device, w.near, s.device, true)
	if err != nil {
		return nil, 0, w.log, err
	}
	defer out.close()
	st := &stream{out: out, ends: e}
	var losses []int64
	for i := range pulls {
		took, n, err := st.pull(rest + phase(i))
		if err != nil {
			return nil, 0, w.log, err
		}
		all, losses = append(all, took), append(losses, int64(n))
	}
	return all, int(median(losses)), w.log, s.drop(w, w.near)
}
