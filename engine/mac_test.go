package engine_test

import (
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/yokelag/yoke/agg"
)

// What is announced after a failover has the address that the aggregate has then.
func TestAnnouncementsHaveTheNewAddress(t *testing.T) {
	for policy, moves := range map[string]bool{"none": false, "active": true, "by_active": true, "follow": false, "only_active": false} {
		t.Run(policy, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, spec(t, map[string]string{"fail_over_mac": policy}, "eth1", "eth2"))
				own := map[string]agg.MAC{"eth1": r.world.Link("eth1").MAC, "eth2": r.world.Link("eth2").MAC}
				r.start()
				defer func() { _ = r.stop() }()
				r.plane.SetAddresses(netip.MustParseAddr("192.0.2.1"))
				r.quiet(10 * time.Second)
				r.world.SetCarrier("eth1", false)
				r.quiet(time.Second)
				want := own["eth1"]
				if moves {
					want = own["eth2"]
				}
				sent := r.world.TakeSent()
				if len(sent) != 1 || agg.MAC(sent[0].Frame[6:12]) != want || r.published().MAC != want {
					t.Errorf("announced %+v with the plan's address %v, want %v", sent, r.published().MAC, want)
				}
				if s := r.status(); !s.Plan.InForce {
					t.Errorf("the plan is not in force: %+v", s.Findings)
				}
				if changes := r.plane.Changes(); changes > 4 {
					t.Errorf("the plane was changed %d times", changes)
				}
				if err := r.plane.Destroy(t.Context()); err != nil {
					t.Fatal(err)
				}
				for name, mac := range own {
					if got := r.world.Link(name).MAC; got != mac {
						t.Errorf("%s has %v after the release, had %v", name, got, mac)
					}
				}
			})
		})
	}
}

// A daemon that takes over knows whose address is whose.
func TestAdoptsWhoCarriesWhichAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, spec(t, map[string]string{"fail_over_mac": "follow"}, "eth1", "eth2"))
		r.start()
		r.world.SetCarrier("eth1", false)
		r.quiet(10 * time.Second)
		before, changes := r.published(), r.plane.Changes()
		if err := r.stop(); err != nil {
			t.Fatal(err)
		}
		r.start()
		defer func() { _ = r.stop() }()
		r.quiet(10 * time.Second)
		if after := r.published(); !after.Equal(before) || r.plane.Changes() != changes {
			t.Errorf("adopted as\n%+v\nnot\n%+v, after %d changes", after, before, r.plane.Changes()-changes)
		}
	})
}
