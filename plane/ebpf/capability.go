package ebpf

import (
	"fmt"
	"slices"

	"github.com/yokelag/yoke/agg"
)

// Capability tells what the plane can do on this kernel.
func (p *Plane) Capability() agg.Capability {
	c := Capability()
	if p.loader.blind {
		c.Guard = false
		c.Lacks = append(c.Lacks, "this kernel lets no tc program see its device (Linux 6.2 with BTF does), "+
			"so a lost carrier is acted on by the daemon only")
	}
	return c
}

// Capability tells what the plane can do on a kernel that has all it can use.
func Capability() agg.Capability {
	return agg.Capability{
		Plane: "ebpf",
		Selectors: []agg.Selector{
			agg.SelectFixed, agg.SelectBuckets, agg.SelectModulo,
			agg.SelectRoundRobin, agg.SelectRandom, agg.SelectBroadcast,
		},
		Hashes: []agg.HashPolicy{
			agg.HashLayer2, agg.HashLayer23, agg.HashLayer34,
			agg.HashEncap23, agg.HashEncap34, agg.HashVLANSrcMAC, agg.HashFields,
		},
		OutlivesDaemon: true,
		Guard:          true,
		ExactCounters:  true,
		FastPath:       true,
		BucketCounters: true,
		DropsOwn:       true,
		Lacks: []string{
			"ports do not carry the MASTER and SLAVE flags of the kernel's own drivers",
			"offloads that need a kernel bond (PTP hardware stamps, kTLS, IPsec, switchdev) are not passed on",
		},
	}
}

// refuse checks that the plan needs nothing that is not built.
func (p *Plane) refuse(plan agg.Plan) error {
	c := p.Capability()
	switch {
	case !slices.Contains(c.Selectors, plan.Select):
		return p.notBuilt(fmt.Sprintf("does not choose ports by %s", plan.Select))
	case hashes(plan.Select) && !slices.Contains(c.Hashes, plan.Hash.Kind()):
		return p.notBuilt(fmt.Sprintf("does not compute the hash %s", plan.Hash))
	case plan.Punt&^agg.ClassSlow != 0: // slow protocols stay on the port in any case
		return p.notBuilt("gives no classes of frames to the daemon but slow protocols")
	case (plan.Copy|plan.Unbalanced)&agg.ClassBFD != 0:
		return p.notBuilt("does not tell micro-BFD from other frames")
	case len(plan.Ports) > agg.MaxPorts || len(plan.Table) > agg.NumBuckets:
		return p.notBuilt(fmt.Sprintf("holds %d ports and %d table entries", agg.MaxPorts, agg.NumBuckets))
	case hasDuplicate(plan.Ports):
		return p.notBuilt("takes a port once")
	case plan.Select == agg.SelectBroadcast && len(plan.Table) > agg.MaxPorts:
		return p.notBuilt(fmt.Sprintf("sends at most %d copies of a frame", agg.MaxPorts))
	case plan.Select == agg.SelectBuckets && len(plan.Table) != agg.NumBuckets && len(plan.Table) != 0:
		return p.notBuilt(fmt.Sprintf("takes a table of %d buckets, not %d", agg.NumBuckets, len(plan.Table)))
	}
	return nil
}

func hashes(s agg.Selector) bool { return s == agg.SelectBuckets || s == agg.SelectModulo }

func hasDuplicate(ports []agg.PlanPort) bool {
	seen := make(map[string]bool, len(ports))
	for _, q := range ports {
		if seen[q.Name] {
			return true
		}
		seen[q.Name] = true
	}
	return false
}

func (p *Plane) notBuilt(rule string) error {
	return &agg.Problem{Code: "not-built", Object: p.options.Name, Rule: "plane ebpf " + rule}
}
