package planetest

import (
	"maps"
	"slices"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/policy"
)

// planFor computes the plan of a configuration over the ports of the bench as they are.
// What it asks of the plane may be more than the options table offers yet.
func (b *bench) planFor(options map[string]string, ports ...string) agg.Plan {
	b.t.Helper()
	spec := agg.Spec{Name: "bond0", Options: agg.Settings{}}
	for k, v := range options {
		o, ok := agg.Lookup(k, agg.OfAggregate)
		if !ok {
			b.t.Fatalf("no option %s", k)
		}
		text, err := o.Canonical(v)
		if err != nil {
			b.t.Fatal(err)
		}
		spec.Options[o.Name] = text
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

// balance is the plan of balance-xor, by hash mod N where the plane has no buckets.
func (b *bench) balance(hash, mapping string) agg.Plan {
	if !slices.Contains(b.plane.Capability().Selectors, agg.SelectBuckets) {
		mapping = "modulo"
	}
	return b.planFor(map[string]string{"mode": "balance-xor", "xmit_hash_policy": hash, "hash_map": mapping}, portNames()...)
}

// mode is the plan of a mode over all ports, with further options.
func (b *bench) mode(mode string, options map[string]string) agg.Plan {
	all := map[string]string{"mode": mode}
	maps.Copy(all, options)
	return b.planFor(all, portNames()...)
}
