package bonding

import (
	"maps"
	"testing"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/nstest"
)

// A bond that is made in the place of another device has from the beginning what it could not
// be given while it is up, and nothing else.
func TestBirth(t *testing.T) {
	for _, c := range []struct {
		options agg.Settings
		want    Values
	}{
		{agg.Settings{}, Values{"mode": "1"}},
		{agg.Settings{"mode": "random", "fail_over_mac": "none", "miimon": "50ms"}, Values{"mode": "0", "fail_over_mac": "0"}},
		{agg.Settings{"mode": "802.3ad", "lacp_rate": "fast", "lacp_active": "off", "ad_user_port_key": "7", "min_links": "1"},
			Values{"mode": "4", "lacp_rate": "1", "lacp_active": "0", "ad_user_port_key": "7"}},
		{agg.Settings{"mode": "balance-xor", "lacp_rate": "fast"}, Values{"mode": "2"}}, // the driver has it in 802.3ad
	} {
		data, err := Birth(agg.Spec{Name: "bond0", Options: c.options})
		got := Values{}
		if err == nil {
			err = values(Attributes(), data, got, func(int, []byte) error { return nil })
		}
		if err != nil || !maps.Equal(got, c.want) {
			t.Errorf("%v: %v, %v; want %v", c.options, got, err, c.want)
		}
	}
}

// Asking whether there is the driver makes no bond.
func TestHere(t *testing.T) {
	nstest.Require(t, "root", "bonding")
	ns := nstest.New(t)
	before := nstest.Command(t, ns, "ip", "-br", "link")
	ns.Do(func() {
		if err := Here("bond0"); err != nil {
			t.Error(err)
		}
	})
	if after := nstest.Command(t, ns, "ip", "-br", "link"); after != before {
		t.Errorf("there is\n%s, and there was\n%s", after, before)
	}
}
