package agg

import (
	"slices"
	"testing"
)

func TestMatchFits(t *testing.T) {
	nic := Identity{Name: "eth1", MAC: MAC{2, 1}, PermanentMAC: MAC{2, 2}, Path: "pci-0000:00:03.0", Driver: "e1000e"}
	bare := Identity{Name: "tap0", MAC: MAC{2, 9}, Driver: "tun"}
	for _, c := range []struct {
		match Match
		of    Identity
		ours  bool
		want  bool
	}{
		{Match{Driver: "e1000e"}, nic, false, true},
		{Match{Driver: "e1000*"}, nic, false, true},
		{Match{Driver: "e1000"}, nic, false, false},
		{Match{Path: "pci-0000:00:03.*"}, nic, false, true},
		{Match{Path: "pci-*"}, bare, false, false},
		{Match{Driver: "tun", Path: "pci-*"}, bare, false, false},
		{Match{PermanentMAC: MAC{2, 2}}, nic, false, true},
		{Match{PermanentMAC: MAC{2, 1}}, nic, false, false}, // the address it merely has
		{Match{PermanentMAC: MAC{2, 9}}, bare, false, true}, // all there is
		{Match{PermanentMAC: MAC{2, 8}}, bare, false, false},
		{Match{PermanentMAC: MAC{2, 8}}, bare, true, true}, // it has the aggregate's address now
		{Match{PermanentMAC: MAC{2, 8}}, nic, true, false},
		{Match{}, nic, false, false},
	} {
		if got := c.match.Fits(c.of, c.ours); got != c.want {
			t.Errorf("%v of %s, ours %v: %v, want %v", c.match, c.of.Name, c.ours, got, c.want)
		}
	}
}

func TestMatchedPortsStandBehindNamedOnes(t *testing.T) {
	s, err := ParseArgs("bond0", []string{"eth10", "match:driver=virtio_net,prio=7", "match:driver=v*"})
	if err != nil {
		t.Fatal(err)
	}
	found := []Identity{{Name: "eth10", Driver: "virtio_net"}, {Name: "veth0", Driver: "veth"}, {Name: "eth9", Driver: "virtio_net"}, {Name: "lo"}}
	s = s.WithMatched(found)
	var got []string
	for _, p := range s.Ports {
		got = append(got, p.Word()+" "+p.Matched)
	}
	if want := []string{"eth10 ", "eth9,prio=7 driver=virtio_net", "veth0 driver=v*"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if again := s.WithMatched(nil); len(again.Ports) != 1 || !slices.Equal(again.Args(), s.Args()) {
		t.Errorf("without interfaces: %v", again)
	}
	if err := s.Validate(); err != nil {
		t.Error(err)
	}
}

func TestMatchRefusals(t *testing.T) {
	for word, want := range map[string]string{
		"match:drivr=tun":           "match:drivr=tun: drivr=tun: there is nothing of this name to match by; did you mean driver?",
		"match:tun":                 `match:tun: what to match by has the form key=value; write match:driver=virtio_net`,
		"match:driver=[":            "match:driver=[: driver=[: must be a word, or a pattern as of the shell; for example driver: virtio_net; `ethtool -i eth1` tells it",
		"match:permanent-mac=01::2": "match:permanent-mac=01::2: permanent-mac=01::2: must be the Ethernet address of one station; `ethtool -P eth1` tells it",
	} {
		if _, err := ParseArgs("bond0", []string{word}); err == nil || err.Error() != want {
			t.Errorf("%s: %v\nwant %s", word, err, want)
		}
	}
	twice, err := ParseArgs("bond0", []string{"match:driver=tun", "match:driver=tun"})
	if err != nil || twice.Validate() == nil {
		t.Errorf("the same match twice: %v, then %v", err, twice.Validate())
	}
	empty := Spec{Name: "bond0", Match: []MatchSpec{{}}}
	if empty.Validate() == nil {
		t.Error("a match of nothing is accepted")
	}
}
