package user

import "github.com/yokelag/yoke/agg"

// Capability tells what the plane can do here.
func (p *Plane) Capability() agg.Capability {
	c := Capability()
	if !p.fenced {
		c.DropsOwn = false
		c.Lacks = append(c.Lacks, "the kernel has no tc filter of kind bpf (CONFIG_NET_CLS_BPF), "+
			"so the port's own stack is not silenced")
	}
	if p.notes.tap == nil {
		c.Lacks = append(c.Lacks, "the aggregate's device is in another network namespace, so a VLAN tag inside a frame "+
			"is hashed as one beside it")
	}
	return c
}

// Capability tells what the plane can do on a kernel that has all it can use.
func Capability() agg.Capability {
	return agg.Capability{
		Plane: "user",
		Selectors: []agg.Selector{
			agg.SelectFixed, agg.SelectBuckets, agg.SelectModulo,
			agg.SelectRoundRobin, agg.SelectRandom, agg.SelectBroadcast,
		},
		Hashes: []agg.HashPolicy{
			agg.HashLayer2, agg.HashLayer23, agg.HashLayer34,
			agg.HashEncap23, agg.HashEncap34, agg.HashVLANSrcMAC, agg.HashFields,
		},
		OutlivesDaemon: false,
		Guard:          true,
		ExactCounters:  true,
		BucketCounters: true,
		DropsOwn:       true,
		Unprivileged:   true,
		Lacks: []string{
			"forwarding stops while no daemon runs",
			"tcpdump on a port does not show the frames that the aggregate sends by it",
			"queue_id is refused: the queue that a frame was given is not to be seen",
			"the priority of a socket (SO_PRIORITY) does not reach the port's queues",
			"a super-frame of a tunnel (VXLAN, GRE) that a port receives uncut is lost; " +
				"those that the aggregate sends are cut before",
		},
	}
}
