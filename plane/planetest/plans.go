package planetest

import (
	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/policy"
)

// planFor computes the plan of a configuration over the ports of the bench as they are.
func (b *bench) planFor(options map[string]string, ports ...string) agg.Plan {
	b.t.Helper()
	spec := agg.Spec{Name: "bond0"}
	for k, v := range options {
		if err := spec.Options.Set(agg.OfAggregate, k, v); err != nil {
			b.t.Fatal(err)
		}
	}
	in := policy.Input{MAC: agg.MAC{2, 0x59, 0, 0, 0, 1}}
	for _, name := range ports {
		spec.Ports = append(spec.Ports, agg.PortSpec{Name: name})
		l, v := b.Link(b.t, name), policy.Verdict{}
		if l.Present && l.Carrier {
			v.State = policy.Up
		}
		in.Ports = append(in.Ports, policy.PortInput{Link: l, Watch: v})
	}
	plan, _, _ := policy.Plan(spec.Config(), in)
	return plan
}

func (b *bench) activeBackup(active string) agg.Plan {
	return b.planFor(map[string]string{"mode": "active-backup", "active_slave": active}, portNames()...)
}

func (b *bench) balance(hash, mapping string) agg.Plan {
	return b.planFor(map[string]string{"mode": "balance-xor", "xmit_hash_policy": hash, "hash_map": mapping}, portNames()...)
}
