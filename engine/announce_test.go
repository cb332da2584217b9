package engine_test

import (
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/yokelag/yoke/announce"
)

// An address given a moment before the failover is announced at once, as the events that
// the kernel sends for it have the plane read back soon.
func TestAnnouncesAFreshAddressAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, spec(t, nil, "eth1", "eth2")).start()
		defer r.stop()
		r.quiet(10 * time.Second)
		r.plane.SetAddresses(netip.MustParseAddr("192.0.2.1"))
		r.quiet(500 * time.Millisecond)
		r.world.SetCarrier("eth1", false)
		synctest.Wait() // no time passes
		if sent := r.world.TakeSent(); len(sent) != 1 || sent[0].Port != "eth2" {
			t.Errorf("announced %+v", sent)
		}
		var kinds []string
		events, _ := r.e.Events(0)
		for _, e := range events[len(events)-5:] {
			kinds = append(kinds, e.Kind)
		}
		if want := []string{"carrier", "watch", "active", "plan", "announce"}; !slices.Equal(kinds, want) {
			t.Errorf("events %v, not %v", kinds, want)
		}
	})
}

// More addresses than one announcement tells: the first are told, and an event says so.
func TestTooManyAddresses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, spec(t, nil, "eth1", "eth2")).start()
		defer r.stop()
		r.quiet(10 * time.Second)
		var addresses []netip.Addr
		for ip := netip.MustParseAddr("10.0.0.1"); len(addresses) < announce.Limit+7; ip = ip.Next() {
			addresses = append(addresses, ip)
		}
		r.plane.SetAddresses(addresses...)
		r.quiet(500 * time.Millisecond)
		r.world.SetCarrier("eth1", false)
		synctest.Wait()
		if sent := r.world.TakeSent(); len(sent) != announce.Limit {
			t.Errorf("announced %d", len(sent))
		}
		var text string
		events, _ := r.e.Events(0)
		for _, e := range events {
			if e.Cause == "too-many" {
				text = e.Text
			}
		}
		if text != "7 of 4103 addresses are told to nobody: 4096 are the most" {
			t.Errorf("the event is %q", text)
		}
	})
}

// Announcements still to come go out by the port that carries then, all of them anew.
func TestASecondFailoverBeginsAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, spec(t, map[string]string{"num_grat_arp": "2", "peer_notif_delay": "1s"}, "eth1", "eth2", "eth3")).start()
		defer r.stop()
		r.quiet(10 * time.Second)
		r.plane.SetAddresses(netip.MustParseAddr("192.0.2.1"))
		r.world.SetCarrier("eth1", false)
		r.quiet(5 * time.Millisecond)
		r.world.SetCarrier("eth2", false)
		r.quiet(5 * time.Second)
		var ports []string
		for _, s := range r.world.TakeSent() {
			ports = append(ports, s.Port)
		}
		if want := []string{"eth2", "eth3", "eth3"}; !slices.Equal(ports, want) {
			t.Errorf("announced on %v, not %v", ports, want)
		}
	})
}

// Another interface under the name of the active port is another place in the network.
func TestAnnouncesOnAnInterfaceThatReplacedTheActiveOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, spec(t, nil, "eth1")).start()
		defer r.stop()
		r.plane.SetAddresses(netip.MustParseAddr("192.0.2.1"))
		r.quiet(10 * time.Second)
		r.world.AddLink("eth1")
		r.quiet(time.Second)
		if sent := r.world.TakeSent(); len(sent) != 1 || sent[0].Port != "eth1" {
			t.Errorf("announced %+v", sent)
		}
	})
}

// Ports that share: one announcement when a port dies, on one that carries; none when it
// comes back, as nothing that others know is wrong then.
func TestBalanceAnnouncesOnceWhenAPortDies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, spec(t, map[string]string{"mode": "balance-xor"}, "eth1", "eth2", "eth3")).start()
		defer r.stop()
		r.plane.SetAddresses(netip.MustParseAddr("192.0.2.1"))
		r.quiet(10 * time.Second)
		r.world.SetCarrier("eth1", false)
		r.quiet(5 * time.Second)
		if sent := r.world.TakeSent(); len(sent) != 1 || sent[0].Port != "eth2" {
			t.Errorf("announced %+v", sent)
		}
		r.world.SetCarrier("eth1", true)
		r.quiet(5 * time.Second)
		if sent := r.world.TakeSent(); len(sent) != 0 {
			t.Errorf("announced %+v", sent)
		}
	})
}
