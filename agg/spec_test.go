package agg

import (
	"strings"
	"testing"
	"time"
)

func TestConfigOfEmptySpecHasDefaults(t *testing.T) {
	c := Spec{Name: "bond0", Ports: []PortSpec{{Name: "eth1"}}}.Config()
	if c.Mode != ActiveBackup || c.HashPolicy != HashLayer34 || c.HashMap != Buckets {
		t.Errorf("mode %v, hash %v, map %v", c.Mode, c.HashPolicy, c.HashMap)
	}
	if !c.Watching || c.Miimon != 10*time.Millisecond || c.MiimonSet {
		t.Errorf("watching %v, miimon %v, set %v", c.Watching, c.Miimon, c.MiimonSet)
	}
	if c.NumPeerNotif != 1 || c.MTU != 1500 || !c.UseCarrier {
		t.Errorf("notif %d mtu %d use_carrier %v", c.NumPeerNotif, c.MTU, c.UseCarrier)
	}
}

func TestSettingsRefuseWithSuggestion(t *testing.T) {
	var s Settings
	err := s.Set(OfAggregate, "mimon", "100")
	const want = "mimon: there is no such option; did you mean miimon?"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestPortValueWinsOverAggregate(t *testing.T) {
	s := Spec{Name: "b", Options: Settings{"updelay": "200ms"}, Ports: []PortSpec{
		{Name: "p0"}, {Name: "p1", Options: Settings{"updelay": "5s"}},
	}}
	c := s.Config()
	if c.Ports[0].UpDelay != 200*time.Millisecond || c.Ports[1].UpDelay != 5*time.Second {
		t.Errorf("got %v and %v", c.Ports[0].UpDelay, c.Ports[1].UpDelay)
	}
}

// The bonding driver takes min_links in every mode and heeds it in one.
func TestMinLinksOnPlaneBonding(t *testing.T) {
	for words, want := range map[string]int{
		"mode=balance-xor min_links=2 p0":               2,
		"mode=balance-xor min_links=2 plane=bonding p0": 0,
		"mode=802.3ad min_links=2 plane=bonding p0":     2,
	} {
		s, err := ParseArgs("bond0", strings.Fields(words))
		if err != nil || s.Validate() != nil {
			t.Fatal(err, s.Validate())
		}
		if got := s.Config().LACP.MinLinks; got != want {
			t.Errorf("%s: %d, want %d", words, got, want)
		}
	}
}
