package policy

import "testing"

func TestRenamedStateNamesNobodyElse(t *testing.T) {
	before := State{
		Active: "eth1", Wish: "eth2", Primary: "eth1", Speeds: map[string]uint32{"eth1": 1000, "eth2": 10},
		Own: map[string]OwnMAC{"eth1": {}}, Drain: &Drain{Held: map[int]string{0: "eth1", 1: "eth2"}, Open: []string{"eth2", "eth1"}},
	}
	want := State{
		Active: "lan", Wish: "eth2", Primary: "lan", Speeds: map[string]uint32{"lan": 1000, "eth2": 10},
		Own: map[string]OwnMAC{"lan": {}}, Drain: &Drain{Held: map[int]string{0: "lan", 1: "eth2"}, Open: []string{"eth2", "lan"}},
	}
	if got := before.Renamed("eth1", "lan"); !got.Equal(want) {
		t.Errorf("got %+v", got)
	}
	if before.Active != "eth1" || before.Drain.Held[0] != "eth1" || before.Speeds["eth1"] != 1000 {
		t.Errorf("the state before was changed: %+v", before)
	}
	if moves := (Overlay{3: "eth1", 4: "eth2"}).Renamed("eth1", "lan"); moves[3] != "lan" || moves[4] != "eth2" {
		t.Errorf("moves %v", moves)
	}
}
