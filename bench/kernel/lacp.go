package main

import (
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/yokelag/yoke/wire/slow"
)

// turn is how often both ends send a few flows, to see by which ports they leave.
const (
	turn  = 5 * time.Millisecond
	flows = 16
)

// speakers are who can be an end of LACP, with their default settings but for the hash,
// which has to spread flows, and the bonding driver's miimon, without which it does not see
// carriers.
func speakers() []subject {
	lacp := flow{mode: "defaults", words: []string{"mode", "802.3ad", "xmit_hash_policy", "layer3+4"}, copies: 1}
	ours := flow{mode: "defaults", words: []string{"mode=802.3ad"}, copies: 1}
	return []subject{
		bonding([2]float64{}, lacp),
		teamd([2]float64{}, lacp, map[string]any{"name": "lacp", "tx_hash": []string{"ipv4", "ipv6", "l4"}}),
		yoke("Yoke ebpf", ours, "plane=ebpf"),
		yoke(byYokeTeam, ours, "plane=team"),
		yoke(byUser, ours, "plane=user"),
	}
}

// lacpStarts measures the pairs of the bonding driver, teamd and Yoke; Yoke's other planes
// start beside the bonding driver only.
func lacpStarts(programs string, rep *report, starts int, wanted func(subject) bool) {
	list := speakers()
	for i, a := range list[:3] {
		for j, b := range list {
			if j < i || i > 0 && j > 2 || !wanted(a) && !wanted(b) {
				continue
			}
			l := latency{Part: "LACP, carrier to both ends distributing on both ports", By: a.by + " and " + b.by, Settings: "lacp_rate slow, layer3+4"}
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
// returns the time from the carriers until the frames of both ends leave by both cables.
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
	for i, end := range []struct {
		subject
		host *host
	}{{a, w.near}, {b, w.far}} {
		if err := end.make(w, end.host); err != nil {
			return 0, r, w.log, err
		}
		if r.out[i], err = between(end.host, end.device, end.host, end.device, true); err != nil {
			return 0, r, w.log, err
		}
	}
	time.Sleep(rest)
	took, err := r.run(2 * time.Minute)
	return took, r, w.log, err
}

// relay is two cables, each between a tap in one host and one in another.
type relay struct {
	taps [2][2]*tap
	out  [2]*sender
	// seen is when each end last sent data by each cable.
	seen  [2][2]time.Duration
	begin time.Duration
	// trace has a line for each LACPDU.
	trace []string
	buf   [2048]byte
}

func (r *relay) close() {
	for i := range r.taps {
		for _, t := range r.taps[i] {
			if t != nil {
				t.close()
			}
		}
		if r.out[i] != nil {
			r.out[i].close()
		}
	}
}

// run gives all taps their carrier and passes slow protocols on, until within two turns
// frames of both ends have left by both cables.
func (r *relay) run(limit time.Duration) (time.Duration, error) {
	r.begin = now()
	for _, side := range r.taps {
		for _, t := range side {
			if err := t.carrier(true); err != nil {
				return 0, err
			}
		}
	}
	for now()-r.begin < limit {
		for _, s := range r.out {
			for _, frame := range s.frames[:flows] {
				_, _ = unix.Write(s.fd, frame) // refused where there is no carrier yet
			}
		}
		for end := now() + turn; now() < end; {
			r.passAll()
			if r.distributing() {
				return now() - r.begin, nil
			}
			sleep(turn / 10)
		}
	}
	return 0, fmt.Errorf("after %v data left by the cables of the ends last at %v", limit, r.seen)
}

func (r *relay) distributing() bool {
	for _, side := range r.seen {
		for _, at := range side {
			if at == 0 || now()-at > 2*turn {
				return false
			}
		}
	}
	return true
}

func (r *relay) passAll() {
	for side := range r.taps {
		for cable, t := range r.taps[side] {
			for b := t.read(r.buf[:]); b != nil; b = t.read(r.buf[:]) {
				r.pass(side, cable, b)
			}
		}
	}
}

// pass gives a LACPDU that one end sent to the other end of its cable, and notes data.
func (r *relay) pass(side, cable int, b []byte) {
	f, err := slow.Parse(b, slow.Group())
	if err != nil {
		if len(b) > 14 && binary.BigEndian.Uint16(b[12:]) == unix.ETH_P_IP {
			r.seen[side][cable] = now()
		}
		return
	}
	if p, err := slow.ParseLACPDU(f.Payload); err == nil && f.Subtype == slow.SubtypeLACP {
		r.trace = append(r.trace, fmt.Sprintf("%.1f ms, %s %s: actor %s, partner %s",
			(now()-r.begin).Seconds()*1000, [2]string{"near", "far"}[side], ports[cable], p.Actor.State.Letters(), p.Partner.State.Letters()))
	}
	r.taps[1-side][cable].write(b)
}
