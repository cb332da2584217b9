package main

import (
	"context"
	"fmt"
	"os/exec"
)

// measureUser compares plane user with what one would pick instead on a kernel that
// allows no BPF: the bond of Open vSwitch's userspace datapath. Both see cables of the
// same kind; Open vSwitch's have checksum offload off, because it needs that.
func measureUser(ctx context.Context, s settings, rep *report) error {
	r, err := newRig()
	if err != nil {
		return err
	}
	defer r.close()
	if err := r.open(ctx, "user"); err != nil {
		return err
	}
	if err := r.apply(ctx); err != nil {
		return err
	}
	rival, closeRival, err := newRival(ctx, s)
	if err != nil {
		rep.add(row{Measure: "TCP, Open vSwitch", Case: "failed", Note: err.Error()})
	} else {
		defer closeRival()
	}
	for _, flows := range []int{1, 64} {
		for _, d := range []direction{outward, inward, bothWays} {
			if err := compareUser(ctx, s, rep, r, rival, flows, d); err != nil {
				return err
			}
		}
	}
	return nil
}

// newRival is a rig whose near host has Open vSwitch's bond.
func newRival(ctx context.Context, s settings) (*rig, func(), error) {
	r, err := newRig()
	if err != nil {
		return nil, nil, err
	}
	v, err := startOVS(ctx, r)
	if err != nil {
		r.close()
		return nil, nil, err
	}
	if _, err := r.stream(ctx, throughAggregate, 1, outward, s.run/2); err != nil {
		v.stop()
		r.close()
		return nil, nil, fmt.Errorf("traffic through Open vSwitch: %w", err)
	}
	return r, func() { v.stop(); r.close() }, nil
}

func compareUser(ctx context.Context, s settings, rep *report, ours, rival *rig, flows int, d direction) error {
	var bares, users, ovss []float64
	for range s.pairs {
		b, err := ours.stream(ctx, throughBare, flows, d, s.run)
		if err != nil {
			return fmt.Errorf("bare veth: %w", err)
		}
		u, err := ours.stream(ctx, throughAggregate, flows, d, s.run)
		if err != nil {
			return fmt.Errorf("plane user: %w", err)
		}
		bares, users = append(bares, b), append(users, u)
		if rival == nil {
			continue
		}
		o, err := rival.stream(ctx, throughAggregate, flows, d, s.run)
		if err != nil {
			return fmt.Errorf("rival, Open vSwitch: %w", err)
		}
		ovss = append(ovss, u/o)
	}
	name := fmt.Sprintf("%d flows, %s", flows, d)
	rep.add(row{"TCP through plane user", name, median(users), "Gbit/s", "", fmt.Sprintf("bare %.1f Gbit/s", median(bares))})
	if rival != nil {
		rep.add(row{"plane user beside Open vSwitch's bond", name, median(ovss), "ratio", ">= 4", fmt.Sprintf("median of %d pairs", s.pairs)})
	}
	return nil
}

// has reports whether a program is there.
func has(name string) bool {
	_, err := exec.LookPath(name)
	return err == nil
}
