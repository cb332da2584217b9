package planetest

import (
	"slices"
	"strings"
	"testing"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/policy"
)

// few is enough to see a way, many to see a distribution.
const (
	few  = 8
	many = 256
)

// expectAll checks that every frame arrives behind the one port and nowhere else.
func (b *bench) expectAll(fs [][]byte, port string) {
	b.t.Helper()
	for i, got := range b.Send(b.t, fs) {
		if strings.Join(got, ",") != port {
			b.t.Fatalf("frame %d arrived behind %v, want %q", i, got, port)
		}
	}
}

func (b *bench) expectReceived(port string, want int) {
	b.t.Helper()
	if got := b.Receive(b.t, port, inbound(few)); got != want {
		b.t.Errorf("the aggregate received %d of %d frames from %s, want %d", got, few, port, want)
	}
}

func activeOnly(t *testing.T, b *bench) {
	for _, active := range []string{"port1", "port0", "port2"} {
		b.apply(b.activeBackup(active))
		b.expectAll(frames(few), active)
		b.expectReceived(active, few)
	}
}

func standbyDrops(t *testing.T, b *bench) {
	b.apply(b.activeBackup("port1"))
	b.expectReceived("port0", 0)
	b.expectReceived("port2", 0)
	b.expectReceived("port1", few)
}

func blockedDrops(t *testing.T, b *bench) {
	b.steered()
	plan := b.activeBackup("port0")
	plan.Blocked = true
	b.apply(plan)
	b.expectAll(frames(few), "")
	b.expectReceived("port0", 0)
	b.apply(b.activeBackup("port0"))
	b.expectAll(frames(few), "port0")
	b.expectReceived("port0", few)
}

func bucketsPlace(t *testing.T, b *bench) {
	b.needs(agg.SelectBuckets)
	b.placed("buckets")
}

func moduloPlaces(t *testing.T, b *bench) { b.placed("modulo") }

// placed compares where frames arrive with where the reference says they go, for every
// hash policy that the plane has.
func (b *bench) placed(mapping string) {
	for _, h := range []agg.HashPolicy{agg.HashLayer2, agg.HashLayer34} {
		if !slices.Contains(b.plane.Capability().Hashes, h) {
			b.t.Errorf("the plane does not compute %s", h)
		}
	}
	for _, h := range b.plane.Capability().Hashes {
		if h != agg.HashFields {
			b.placedBy(b.balance(h.String(), mapping))
			continue
		}
		for _, fields := range []string{"eth", "ipv4,udp", "eth,vlan,ip,l4"} {
			b.placedBy(b.mode("balance-xor", map[string]string{"tx_hash": fields, "hash_map": mapping}))
		}
	}
}

func (b *bench) placedBy(plan agg.Plan) {
	b.t.Helper()
	b.apply(plan)
	fs := frames(many)
	seen := map[string]int{}
	for i, got := range b.Send(b.t, fs) {
		entry := b.plan.Entry(policy.Hash(plan.Hash, fs[i], policy.Tag{}))
		want := b.plan.Ports[b.plan.Table[entry].First].Name
		if strings.Join(got, ",") != want {
			b.t.Fatalf("%s, %s: frame %d arrived behind %v, policy says %s", plan.Hash, plan.Select, i, got, want)
		}
		seen[want]++
	}
	// The frames have one source address, and so one hash of vlan+srcmac.
	if plan.Hash != agg.HashVLANSrcMAC && plan.Hash != agg.HashLayer2 && len(seen) != len(portNames()) {
		b.t.Errorf("%s, %s: only %v carried", plan.Hash, plan.Select, seen)
	}
}

func balanceReceives(t *testing.T, b *bench) {
	b.apply(b.balance("layer3+4", "buckets"))
	for _, port := range portNames() {
		b.expectReceived(port, few)
	}
}

func readBack(t *testing.T, b *bench) {
	if f := b.observe(); f.Published != nil {
		t.Errorf("a new plane reports a plan: %+v", *f.Published)
	}
	for _, plan := range []agg.Plan{
		b.activeBackup("port2"), b.balance("layer3+4", "buckets"), b.balance("layer2", "modulo"), b.activeBackup("port0"),
	} {
		b.apply(plan)
		b.inForce()
	}
	f := b.observe()
	if f.At == agg.Never || f.PublishedAt == agg.Never || !f.Device.Present || !f.Device.Carrier {
		t.Errorf("facts lack a time or the device: %+v", f)
	}
	if f.Device.MAC != b.plan.MAC || f.Device.MTU != b.plan.MTU {
		t.Errorf("the device has %v and MTU %d, the plan %v and %d", f.Device.MAC, f.Device.MTU, b.plan.MAC, b.plan.MTU)
	}
	if len(f.Ports) != len(portNames()) {
		t.Errorf("facts of %d ports", len(f.Ports))
	}
}

func repeatedApply(t *testing.T, b *bench) {
	b.apply(b.balance("layer3+4", "buckets"))
	before, at := b.Snapshot(t), b.observe().PublishedAt
	for range 3 {
		if err := b.plane.Apply(t.Context(), b.plan); err != nil {
			t.Fatal(err)
		}
	}
	b.inForce()
	if after := b.Snapshot(t); after != before {
		t.Errorf("the ports changed:\n%s\nwas\n%s", after, before)
	}
	if f := b.observe(); f.PublishedAt != at {
		t.Error("a plan that was in force was published again")
	}
}

func failedApply(t *testing.T, b *bench) {
	b.apply(b.activeBackup("port1"))
	bad := b.activeBackup("port0")
	bad.Generation = b.plan.Generation + 1
	bad.Ports = append(bad.Ports, bad.Ports[0]) // a port twice
	if err := b.plane.Apply(t.Context(), bad); err == nil {
		t.Fatal("a plan with the same port twice was applied")
	}
	b.inForce()
	b.expectAll(frames(few), "port1")
	b.expectReceived("port1", few)
}

func portRemoved(t *testing.T, b *bench) {
	b.apply(b.activeBackup("port0"))
	b.apply(b.planFor(map[string]string{"mode": "active-backup"}, "port1", "port2"))
	b.inForce()
	b.expectAll(frames(few), "port1")
	b.expectReceived("port0", 0)
	b.apply(b.activeBackup("port0"))
	b.expectAll(frames(few), "port0")
	b.expectReceived("port0", few)
}

func portMadeAnew(t *testing.T, b *bench) {
	b.apply(b.activeBackup("port0"))
	old := b.Link(t, "port0").Index
	b.Delete(t, "port0")
	b.apply(b.activeBackup(""))
	b.inForce()
	b.expectAll(frames(few), "port1")
	b.Create(t, "port0")
	if now := b.Link(t, "port0").Index; now == old {
		t.Fatalf("the harness made port0 with the same ifindex %d", now)
	}
	b.apply(b.activeBackup("port0"))
	b.inForce()
	b.expectAll(frames(few), "port0")
	b.expectReceived("port0", few)
}

func guard(t *testing.T, b *bench) {
	if !b.plane.Capability().Guard {
		t.Skip("the plane has no egress guard here")
	}
	b.apply(b.activeBackup("port0"))
	b.SetCarrier(t, "port0", false)
	second := b.plan.Ports[b.plan.Table[0].Second].Name
	b.expectReceived(second, 0)
	b.expectAll(frames(few), second)
	b.expectReceived(second, few) // opened by the frames that were moved there
	b.SetCarrier(t, "port0", true)
	b.expectAll(frames(few), "port0")
	b.expectReceived(second, 0)
	b.expectReceived("port0", few)
}

func adopted(t *testing.T, b *bench) {
	if !b.plane.Capability().OutlivesDaemon {
		t.Skip("the plane ends with its daemon")
	}
	b.apply(b.balance("layer3+4", "buckets"))
	fs := frames(many)
	before := b.Send(t, fs)
	if err := b.plane.Close(); err != nil {
		t.Fatal(err)
	}
	compare := func(when string) {
		t.Helper()
		for i, got := range b.Send(t, fs) {
			if !slices.Equal(got, before[i]) {
				t.Fatalf("%s: frame %d arrived behind %v, before behind %v", when, i, got, before[i])
			}
		}
	}
	compare("with the plane closed")
	b.plane = b.Open(t)
	b.inForce()
	compare("with the plane adopted")
	if err := b.plane.Apply(t.Context(), b.plan); err != nil {
		t.Fatal(err)
	}
	compare("with the plan applied again")
	b.apply(b.activeBackup("port2"))
	b.expectAll(frames(few), "port2")
}

func destroyRestores(t *testing.T, b *bench) {
	b.apply(b.balance("layer3+4", "buckets"))
	if err := b.plane.Destroy(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.plane = nil
	if after := b.Snapshot(t); after != b.before {
		t.Errorf("left behind:\n%s\nwas before:\n%s", after, b.before)
	}
}
