package planetest

import (
	"runtime"
	"slices"
	"strconv"
	"testing"

	"github.com/yokelag/yoke/agg"
)

// needs skips the case where the plane does not choose ports in this way.
func (b *bench) needs(s agg.Selector) {
	b.t.Helper()
	if !slices.Contains(b.plane.Capability().Selectors, s) {
		b.t.Skipf("the plane does not choose ports by %s", s)
	}
}

// steered skips the case where a driver of the kernel runs the mode by itself.
func (b *bench) steered() {
	b.t.Helper()
	if b.plane.Capability().RunsModes {
		b.t.Skip("the driver runs the mode by itself")
	}
}

// shares sends frames that each arrive behind one port, and counts them by port.
func (b *bench) shares(fs [][]byte) map[string]int {
	b.t.Helper()
	out := map[string]int{}
	for i, got := range b.Send(b.t, fs) {
		if len(got) != 1 {
			b.t.Fatalf("frame %d arrived behind %v, want one port", i, got)
		}
		out[got[0]]++
	}
	return out
}

// expectShares checks that each of the ports carried its part of many frames, give or take.
func expectShares(t *testing.T, got map[string]int, give int, ports ...string) {
	t.Helper()
	if len(got) != len(ports) {
		t.Errorf("frames left by %v, want %v", got, ports)
	}
	for _, port := range ports {
		if have, fair := got[port], many/len(ports); have < fair-give || have > fair+give {
			t.Errorf("%s carried %d of %d frames, its part is %d: %v", port, have, many, fair, got)
		}
	}
}

func roundRobin(t *testing.T, b *bench) {
	b.needs(agg.SelectRoundRobin)
	for _, each := range []int{1, 3} {
		if each > 1 && b.plane.Capability().FramesAlike {
			continue
		}
		plan := b.mode("balance-rr", map[string]string{"packets_per_slave": strconv.Itoa(each)})
		b.apply(plan)
		b.inForce()
		// Each processor counts for itself, and may stop in the middle of a turn.
		give := each * runtime.NumCPU()
		expectShares(t, b.shares(frames(many)), give, portNames()...)
		for _, port := range portNames() {
			b.expectReceived(port, few)
		}
	}
	b.SetCarrier(t, "port1", false)
	expectShares(t, b.shares(frames(many)), many, "port0", "port2") // moved, where there is a guard
	b.apply(b.mode("balance-rr", nil))
	give := runtime.NumCPU()
	if b.plane.Capability().RunsModes { // the next port takes over the whole part of a dead one
		give += many/2 - many/3
	}
	expectShares(t, b.shares(frames(many)), give, "port0", "port2")
	b.SetCarrier(t, "port1", true)
	b.apply(b.mode("balance-rr", nil))
	expectShares(t, b.shares(frames(many)), runtime.NumCPU(), portNames()...)
}

func random(t *testing.T, b *bench) {
	b.needs(agg.SelectRandom)
	for _, plan := range []agg.Plan{
		b.mode("random", nil), b.mode("balance-rr", map[string]string{"packets_per_slave": "0"}),
	} {
		b.apply(plan)
		b.inForce()
		// A fair choice is further off once in many millions of runs.
		expectShares(t, b.shares(frames(many)), 45, portNames()...)
	}
}

// copied checks that every frame arrives behind all the ports, and nowhere else.
func (b *bench) copied(fs [][]byte, ports ...string) {
	b.t.Helper()
	for i, got := range b.Send(b.t, fs) {
		if !slices.Equal(got, ports) {
			b.t.Fatalf("frame %d arrived behind %v, want %v", i, got, ports)
		}
	}
}

func broadcast(t *testing.T, b *bench) {
	b.needs(agg.SelectBroadcast)
	b.apply(b.mode("broadcast", nil))
	b.inForce()
	b.copied(frames(many), portNames()...)
	for _, port := range portNames() {
		b.expectReceived(port, few)
	}
	before := b.observe().Device
	b.SetCarrier(t, "port0", false)
	b.copied(frames(few), "port1", "port2") // nobody has noticed yet
	b.apply(b.mode("broadcast", nil))
	b.copied(frames(few), "port1", "port2")
	b.SetCarrier(t, "port0", true)
	b.apply(b.mode("broadcast", nil))
	b.copied(frames(few), portNames()...)
	if after := b.observe().Device; after.Index != before.Index {
		t.Errorf("the device was made anew: %+v, was %+v", after, before)
	}
}

// unbalanced: IGMP of balance-rr has one port, and its second choice where that is gone.
func unbalanced(t *testing.T, b *bench) {
	b.needs(agg.SelectRoundRobin)
	if b.plane.Capability().FramesAlike {
		t.Skip("the plane sends all frames alike")
	}
	b.apply(b.mode("balance-rr", nil))
	if b.plan.Multicast == agg.NoPort || b.plan.Unbalanced&agg.ClassIGMP == 0 {
		t.Fatalf("the plan of balance-rr has no port for IGMP: %+v", b.plan)
	}
	one := b.plan.Ports[b.plan.Multicast].Name
	b.expectAll(reports(few), one)
	expectShares(t, b.shares(frames(many)), runtime.NumCPU(), portNames()...)
	if !b.plane.Capability().Guard {
		return
	}
	second := b.plan.Ports[b.plan.Second(b.plan.Multicast)].Name
	b.SetCarrier(t, one, false)
	b.expectAll(reports(few), second)
	b.SetCarrier(t, one, true)
	b.expectAll(reports(few), one)
}

func allActive(t *testing.T, b *bench) {
	for _, on := range []bool{true, false} {
		word, want := "off", 0
		if on {
			word, want = "on", few
		}
		b.apply(b.mode("active-backup", map[string]string{"active_slave": "port1", "all_slaves_active": word}))
		b.expectReceived("port0", want)
		b.expectReceived("port2", want)
		b.expectReceived("port1", few)
		b.expectAll(frames(few), "port1")
	}
}
