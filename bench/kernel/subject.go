package main

import (
	"encoding/json"
	"errors"
	"strings"
	"time"
)

// subject is an aggregate of near's two ports that can be made and taken apart.
type subject struct {
	// by is who aggregates, mode the mode in bonding's words.
	by, mode string
	device   string
	// make and drop it in a host, whose ports are there and up.
	make, drop func(w *world, h *host) error
	// spreads: flows leave by both ports. copies is how many frames leave for one.
	spreads bool
	copies  int
	// partner: both ports have a LACP partner at the far end.
	partner bool
	// paced: another process moves the frames.
	paced bool
	// guarded, movable: Yoke's guard is on the ports; the device may go to another host.
	guarded, movable bool
	// known are figures that were measured before by another program, 0 where there is none.
	known [2]float64
	// goal and wish of transmitting, and the goal of receiving, in instructions; 0 is none.
	goal, wish, goalRx float64
}

// flow is a mode with what becomes of frames in it.
type flow struct {
	mode    string
	words   []string
	spreads bool
	copies  int
	partner bool
}

// The names by which rows are found.
const (
	byBare      = "bare port"
	byBonding   = "kernel bonding"
	byTeam      = "kernel team, teamd"
	byExact     = "Yoke ebpf, exact"
	byFast      = "Yoke ebpf, fast_path"
	byYokeTeam  = "Yoke team"
	byYokeBond  = "Yoke bonding"
	byUser      = "Yoke user"
	modeRR      = "balance-rr"
	modeAB      = "active-backup"
	modeXOR     = "balance-xor layer3+4"
	modeLACP    = "802.3ad layer3+4"
	modeCast    = "broadcast"
	modeTLB     = "balance-tlb layer3+4"
	modeALB     = "balance-alb"
	modeRandom  = "random"
	deviceNamed = "bond0"
)

func bonding(known [2]float64, f flow) subject {
	return subject{
		by: byBonding, mode: f.mode, device: deviceNamed, spreads: f.spreads, copies: f.copies, partner: f.partner, known: known,
		make: func(w *world, h *host) error {
			words := strings.Join(f.words, " ")
			if !strings.Contains(words, "miimon") {
				words += " miimon 100"
			}
			return h.ip("link add bond0 type bond "+words,
				"link set eth0 down", "link set eth0 master bond0", "link set eth1 down", "link set eth1 master bond0", "link set bond0 up")
		},
		drop: func(w *world, h *host) error { return h.ip("link del bond0", "link set eth0 up", "link set eth1 up") },
	}
}

// teamd has its default settings but for the runner.
func teamd(known [2]float64, f flow, runner map[string]any) subject {
	return subject{
		by: byTeam, mode: f.mode, device: "team0", spreads: f.spreads, copies: f.copies, partner: f.partner, known: known,
		make: func(w *world, h *host) error { return startTeamd(w, h, runner) },
		drop: func(w *world, h *host) error { stopTeamd(w, h); return h.ip("link set eth0 up", "link set eth1 up") },
	}
}

func startTeamd(w *world, h *host, runner map[string]any) error {
	config, err := json.Marshal(map[string]any{
		"device": "team0", "runner": runner, "link_watch": map[string]any{"name": "ethtool"},
		"ports": map[string]any{"eth0": map[string]any{}, "eth1": map[string]any{}},
	})
	if err != nil {
		return err
	}
	if err := h.ip("link set eth0 down", "link set eth1 down"); err != nil {
		return err
	}
	if err := w.start(h, "teamd-"+h.name, "teamd", "-p", w.dir+"/teamd-"+h.name+".pid", "-N", "-c", string(config)); err != nil {
		return err
	}
	err = w.await(time.Minute, "teamd to take both ports", func() bool {
		team, err := h.link("team0")
		if err != nil {
			return false
		}
		for _, name := range ports {
			if l, err := h.link(name); err != nil || l.Attrs().MasterIndex != team.Attrs().Index {
				return false
			}
		}
		return true
	})
	if err != nil {
		return errors.Join(err, errors.New(w.said("teamd-"+h.name)))
	}
	return h.ip("link set team0 up")
}

// stopTeamd also deletes the device, where teamd has not.
func stopTeamd(w *world, h *host) {
	w.stop("teamd-" + h.name)
	if l, err := h.link("team0"); err == nil {
		_ = h.nl.LinkDel(l) // it may be going already
	}
}

func yoke(by string, f flow, words ...string) subject {
	line := append(append([]string{"up", deviceNamed}, words...), f.words...)
	return subject{
		by: by, mode: f.mode, device: deviceNamed, spreads: f.spreads, copies: f.copies, partner: f.partner,
		make: func(w *world, h *host) error {
			if err := w.yoked(h); err != nil {
				return err
			}
			if err := w.yoke(h, append(line, ports[:]...)...); err != nil {
				return err
			}
			return h.ip("link set bond0 up")
		},
		drop: func(w *world, h *host) error {
			return errors.Join(w.yoke(h, "down", deviceNamed), h.ip("link set eth0 up", "link set eth1 up"))
		},
	}
}
