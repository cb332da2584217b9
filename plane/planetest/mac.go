package planetest

import (
	"context"
	"testing"

	"github.com/yokelag/yoke/agg"
)

// ownAddresses: each port has the address that the plan gives it, the device that of the
// plan, and a change of both moves traffic and leaves nothing behind.
func ownAddresses(t *testing.T, b *bench) {
	b.steered()
	other := agg.MAC{2, 0x59, 0, 0, 0, 0x99}
	for i, active := range []string{"port0", "port2", "port1"} {
		plan := b.activeBackup(active)
		for k := range plan.Ports {
			plan.Ports[k].MAC = agg.MAC{2, 0x59, 0, 0, byte(i), byte(0x10 + k)}
		}
		plan.Ports[0].MAC = agg.MAC{} // that of the plan
		if i == 2 {                   // the aggregate changes too
			plan.MAC = other
		}
		b.apply(plan)
		b.inForce()
		for k, name := range portNames() {
			if got := b.Link(t, name).MAC; got != plan.PortMAC(k) {
				t.Errorf("with %s active, %s has %v, not %v", active, name, got, plan.PortMAC(k))
			}
		}
		if got := b.observe().Device.MAC; got != plan.MAC {
			t.Errorf("the device has %v, not %v", got, plan.MAC)
		}
		b.leaves(t, active)
	}
	plane := b.plane
	b.plane = nil
	if err := plane.Destroy(context.WithoutCancel(t.Context())); err != nil {
		t.Fatal(err)
	}
	if after := b.Snapshot(t); after != b.before {
		t.Errorf("after the release\n%s\nnot\n%s", after, b.before)
	}
}

// leaves checks that what the aggregate sends leaves by the port alone.
func (b *bench) leaves(t *testing.T, port string) {
	t.Helper()
	for _, at := range b.Send(t, [][]byte{udp(1), udp(2)}) {
		if len(at) != 1 || at[0] != port {
			t.Errorf("a frame left by %v, not by %s", at, port)
		}
	}
}
