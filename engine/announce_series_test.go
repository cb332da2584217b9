package engine_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/wire"
)

// above is a world's answer of who speaks by the aggregate.
type above []agg.Station

func (a above) Stations(context.Context, string) ([]agg.Station, error) { return a, nil }

// withVLAN is an aggregate with VLAN 100 above it, both with an address of each family
// and a group.
func withVLAN(t *testing.T) above {
	t.Helper()
	tags, err := wire.MakeTags(wire.VLAN{Type: wire.TypeVLAN, TCI: 100})
	if err != nil {
		t.Fatal(err)
	}
	of := func(name string, tags wire.Tags, ips ...string) agg.Station {
		s := agg.Station{Name: name, Tags: tags, Groups: []agg.Group{{Address: netip.MustParseAddr("239.1.2.3")}, {Address: netip.MustParseAddr("ff02::1:ff00:1")}}}
		for _, ip := range ips {
			s.Addresses = append(s.Addresses, netip.MustParseAddr(ip))
		}
		return s
	}
	bond := of("bond0", wire.Tags{}, "192.0.2.1", "2001:db8::1")
	bond.Above = []agg.Station{of("bond0.100", tags, "198.51.100.1", "2001:db8:100::1")}
	return above{bond}
}

// kindOf names a frame in a transcript.
func kindOf(t *testing.T, frame []byte) string {
	t.Helper()
	eth, rest, err := wire.ParseEthernet(frame)
	if err != nil {
		t.Fatal(err)
	}
	what := "arp"
	switch {
	case eth.Type == wire.TypeIPv4:
		what = "igmp"
	case eth.Type == wire.TypeIPv6 && rest[6] == 0:
		what = "mld"
	case eth.Type == wire.TypeIPv6:
		what = "na"
	}
	if eth.Tags.Len() > 0 {
		what += fmt.Sprintf(".%d", eth.Tags.At(0).ID())
	}
	return what + " from " + fmt.Sprintf("%02x", binary.BigEndian.Uint16(eth.Src[4:]))
}

// transcript runs for a while and returns what was sent, a line for each instant and port.
func (r *rig) transcript(start time.Time, d time.Duration) (out string) {
	const step = time.Millisecond
	for range d / step {
		synctest.Wait()
		line, on := "", ""
		for _, s := range r.world.TakeSent() {
			line, on = line+" "+kindOf(r.t, s.Frame)+",", s.Port
		}
		if line != "" {
			out += fmt.Sprintf("%v %s:%s\n", time.Since(start), on, strings.TrimSuffix(line, ","))
		}
		time.Sleep(step)
	}
	return out
}

func TestSeriesAfterAFailover(t *testing.T) {
	for _, c := range []struct {
		name    string
		options map[string]string
	}{
		{"default", nil},
		{"num3-delay200-igmp2", map[string]string{"num_grat_arp": "3", "peer_notif_delay": "200", "resend_igmp": "2"}},
		{"none", map[string]string{"num_unsol_na": "0", "resend_igmp": "0"}},
		{"teamd", map[string]string{"num_grat_arp": "2", "notify_peers_interval": "50", "mcast_rejoin_count": "3", "mcast_rejoin_interval": "30"}},
		{"no-delay", map[string]string{"num_grat_arp": "3", "miimon": "100", "resend_igmp": "0"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, spec(t, c.options, "eth1", "eth2"))
				r.above = withVLAN(t)
				r.start()
				defer func() { _ = r.stop() }()
				r.quiet(10 * time.Second)
				r.world.TakeSent()
				start := time.Now()
				r.world.SetCarrier("eth1", false)
				golden(t, "testdata/announce/"+c.name+".txt", r.transcript(start, time.Second))
			})
		})
	}
}

// A daemon that takes over in the middle tells the rest, and nothing twice.
func TestSeriesGoesOnAfterADaemon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, spec(t, map[string]string{"num_grat_arp": "4", "peer_notif_delay": "200", "resend_igmp": "0"}, "eth1", "eth2"))
		r.above = withVLAN(t)
		r.start()
		r.quiet(10 * time.Second)
		start := time.Now()
		r.world.SetCarrier("eth1", false)
		out := r.transcript(start, 300*time.Millisecond)
		if err := r.stop(); err != nil {
			t.Fatal(err)
		}
		r.start()
		defer func() { _ = r.stop() }()
		golden(t, "testdata/announce/adopted.txt", out+r.transcript(start, 2*time.Second))
	})
}

// A port that begins to share is told where announcements were asked for, as teamd does.
func TestBalanceTellsOfAnArrivalWhereAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		options := map[string]string{"mode": "balance-xor", "num_grat_arp": "1", "resend_igmp": "0"}
		r := newRig(t, spec(t, options, "eth1", "eth2"))
		r.above = withVLAN(t)
		r.world.SetCarrier("eth2", false)
		r.start()
		defer func() { _ = r.stop() }()
		r.quiet(10 * time.Second)
		r.world.TakeSent()
		r.world.SetCarrier("eth2", true)
		r.quiet(time.Second)
		if sent := r.world.TakeSent(); len(sent) != 4 {
			t.Errorf("sent %d frames, not 4", len(sent))
		}
	})
}
