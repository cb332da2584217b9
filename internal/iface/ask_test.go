package iface

import (
	"errors"
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

// What an unprivileged process may ask, in whichever namespace the test runs.
func TestAsk(t *testing.T) {
	lo, err := ByName("lo", Here)
	if err != nil || lo.Name != "lo" {
		t.Fatalf("lo: %+v, %v", lo, err)
	}
	if again, err := ByIndex(lo.Index, Here); err != nil || again.Name != "lo" {
		t.Errorf("lo by its index: %+v, %v", again, err)
	}
	if _, err := ByName("absent", Here); !IsAbsent(err) {
		t.Errorf("an absent interface: %v", err)
	}
	all, err := All(Here)
	if err != nil || !slices.ContainsFunc(all, func(l Link) bool { return l.Index == lo.Index }) {
		t.Errorf("all: %+v, %v", all, err)
	}
	if of, err := OfKinds("no-such-kind"); err != nil || len(of) > 0 {
		t.Errorf("a kind that no kernel knows: %+v, %v", of, err)
	}
	if _, err := Addresses(lo.Index, Here); err != nil {
		t.Error(err)
	}
}

// Each request closes its socket, whatever came of it: the lowest free descriptor stays.
func TestAskLeavesNoDescriptor(t *testing.T) {
	lowest := func() int {
		fd, err := unix.Open("/dev/null", unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer unix.Close(fd)
		return fd
	}
	before := lowest()
	for range 10 {
		if _, err := ByName("absent", Here); !errors.Is(err, unix.ENODEV) {
			t.Fatal(err)
		}
		if _, err := OfKinds("no-such-kind"); err != nil {
			t.Fatal(err)
		}
	}
	if after := lowest(); after != before {
		t.Errorf("descriptor %d is free where %d was", after, before)
	}
}
