package rules

import (
	"fmt"
	"testing"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/test/rig"
)

// As many ports as an aggregate can have carry, and one more is refused.
func TestSixtyFourPorts(t *testing.T) {
	r := rig.New(t, "bpf")
	words := []string{"up", "bond0", "plane=ebpf", "mode=balance-xor"}
	for i := range agg.MaxPorts {
		name := fmt.Sprintf("p%d", i)
		r.Here.Veth(name, r.There, "q"+name)
		words = append(words, name)
	}
	r.Start()
	r.Must(words...)
	s := r.WaitFor(func(s agg.Status) bool { return s.Carrying == agg.MaxPorts && s.Plan.InForce }, "all ports to carry")
	for name, n := range s.Plan.Shares {
		if n != agg.NumBuckets/agg.MaxPorts {
			t.Errorf("%s has %d entries", name, n)
		}
	}
	mac := r.Here.MAC("eth1").String()
	if out, err := r.Yoke("add", "bond0", "eth1"); err == nil || rig.ExitCode(err) == 0 {
		t.Errorf("one more is taken:\n%s", out)
	}
	if r.Here.MAC("eth1").String() != mac {
		t.Error("the one that was refused was changed")
	}
	r.Must("down", "bond0")
}
