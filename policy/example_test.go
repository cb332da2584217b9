package policy_test

import (
	"fmt"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/policy"
	"github.com/yokelag/yoke/wire"
)

// The hash that the bonding driver would compute for a TCP frame, and the port that it
// would choose of three.
func ExampleHashIn() {
	flow, err := wire.ParseFlow("src=192.0.2.10,dst=198.51.100.7,proto=tcp,sport=40001,dport=443")
	if err != nil {
		fmt.Println(err)
		return
	}
	hash := policy.HashIn(policy.LittleEndian, agg.HashLayer34, flow.AppendTo(nil, nil), policy.Tag{})
	fmt.Printf("0x%08x, port %d\n", hash, hash%3)
	// Output: 0x5b68d19c, port 2
}

// When a port goes, only its own buckets move, each to its second choice.
func ExampleTable() {
	ports := []policy.TablePort{{Name: "eth1", Weight: 1, Usable: true}, {Name: "eth2", Weight: 1, Usable: true}, {Name: "eth3", Weight: 2, Usable: true}}
	before := policy.Table(ports, nil)
	ports[1].Usable = false
	after := policy.Table(ports, nil)
	moved, asSaid := 0, 0
	for b := range before {
		if before[b].First != after[b].First {
			moved++
		}
		if before[b].First == 1 && after[b].First == before[b].Second {
			asSaid++
		}
	}
	fmt.Println(moved, "moved,", asSaid, "to their second choice")
	// Output: 64 moved, 64 to their second choice
}

// A whole plan from a spec and what is known of the ports, and what it does to a frame.
func ExamplePlan() {
	spec, err := agg.ParseArgs("bond0", []string{"primary=eth2", "eth1", "eth2"})
	if err != nil {
		fmt.Println(err)
		return
	}
	up := policy.Verdict{State: policy.Up}
	plan, _, reasons := policy.Plan(spec.Config(), policy.Input{Ports: []policy.PortInput{
		{Link: agg.LinkFacts{Name: "eth1", Index: 2, Present: true}, Watch: up},
		{Link: agg.LinkFacts{Name: "eth2", Index: 3, Present: true}, Watch: up},
	}})
	for _, r := range reasons {
		fmt.Println(r.Port, r.OK, r.Text)
	}
	fmt.Println(policy.Explain(plan, nil, policy.Tag{}).Text)
	// Output:
	// eth1 false backup, number 1 in line
	// eth2 true active: it is the primary
	// leaves by eth2: it is the active port; if that fails, by eth1
}
