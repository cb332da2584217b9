package bonding

import "github.com/yokelag/yoke/agg"

// Capability tells what the plane can do here.
func (p *Plane) Capability() agg.Capability { return Capability() }

// Capability tells what the plane can do on a kernel that has the driver.
func Capability() agg.Capability {
	return agg.Capability{
		Plane:     "bonding",
		Selectors: []agg.Selector{agg.SelectFixed, agg.SelectModulo, agg.SelectRoundRobin, agg.SelectRandom, agg.SelectBroadcast},
		Hashes: []agg.HashPolicy{
			agg.HashLayer2, agg.HashLayer34, agg.HashLayer23, agg.HashEncap23, agg.HashEncap34, agg.HashVLANSrcMAC,
		},
		OutlivesDaemon: true,
		ExactCounters:  true,
		FramesAlike:    true,
		RunsModes:      true,
		Lacks: []string{
			"the driver runs the mode by itself: it chooses among the ports whose link it sees, by hash mod N",
			"another mode can be set only with the ports out of the device for a moment",
			"what a port's own stack sends is not dropped",
			"the device cannot be moved to another network namespace",
		},
	}
}
