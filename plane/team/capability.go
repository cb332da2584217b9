package team

import "github.com/yokelag/yoke/agg"

// Capability tells what the plane can do here.
func (p *Plane) Capability() agg.Capability { return Capability() }

// Capability tells what the plane can do on a kernel that has the driver.
func Capability() agg.Capability {
	return agg.Capability{
		Plane: "team",
		Selectors: []agg.Selector{
			agg.SelectFixed, agg.SelectBuckets, agg.SelectModulo, agg.SelectRoundRobin, agg.SelectRandom, agg.SelectBroadcast,
		},
		Hashes:         append(hashes(), agg.HashFields),
		OutlivesDaemon: true,
		ExactCounters:  true,
		FramesAlike:    true,
		Lacks: []string{
			"a lost carrier loses frames until the next plan, except in modes balance-rr, random and broadcast",
			"a mode of another kind can be set only with the ports out of the device for a moment",
			"what a port's own stack sends is not dropped",
			"IGMP of balance-rr and random leaves by all ports in turn, as every other frame",
			"encap2+3 and encap3+4, packets_per_slave above 1, and balance-alb's source addresses",
			"the device cannot be moved to another network namespace",
		},
	}
}
