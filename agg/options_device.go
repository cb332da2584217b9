package agg

// deviceOptions are the options of the aggregate's device.
func deviceOptions() []Option {
	return []Option{
		{
			Name: "fast_path", Scope: OfAggregate, Kind: KindBool, Default: "off", Built: true,
			Doc: "on lets frames bypass the aggregate's own device counters, tcpdump and qdisc on transmit; Yoke's counters still count them. " +
				"Plane ebpf only; may be switched while traffic flows.",
		},
		{
			Name: "mtu", Scope: OfAggregate, Kind: KindInt, Min: 68, Max: 65535, Unit: "bytes", Default: "1500", Built: true,
			Doc: "The MTU of the aggregate and of its ports.",
		},
		{
			Name: "mac", Aliases: []string{"hwaddr"}, Scope: OfAggregate, Kind: KindMAC, When: AtCreation,
			TeamdKey: "hwaddr", Built: true,
			Doc: "The address of the aggregate. Unset takes that of the first port and keeps it.",
		},
		{
			Name: "fail_over_mac", Aliases: []string{"hwaddr_policy"}, Scope: OfAggregate, Kind: KindEnum,
			Values: []EnumValue{
				{Text: "none", Number: 0, Aliases: []string{"same_all"}},
				{Text: "active", Number: 1, Aliases: []string{"by_active"}},
				{Text: "follow", Number: 2},
				{Text: "only_active", Number: -1},
			},
			Modes: []Mode{ActiveBackup}, When: NoPorts,
			Default: "none", Bonding: "none", Teamd: "same_all",
			Sysfs: "fail_over_mac", Netlink: 13, Module: "fail_over_mac", TeamdKey: "runner.hwaddr_policy", Built: true,
			Doc: "Who carries which address. none gives all ports that of the aggregate; active gives the aggregate that of the active port; " +
				"follow moves the aggregate's address to the active port, and that of the active port to where it came from; " +
				"only_active, which teamd has, lets the others keep their own.",
		},
		{
			Name: "tx_queues", Scope: OfAggregate, Kind: KindInt, Min: 1, Max: 255, When: AtCreation, Bonding: "16", Module: "tx_queues",
			Doc: "The number of transmit queues of the aggregate's device.",
			Instead: "its device has one queue: of several the kernel would choose one for each frame by itself, and queue_id could not tell that from a filter's choice. " +
				"queue_id needs no queues: a BPF filter on the aggregate gives frames any number (skbedit gives only those of queues that there are)",
		},
	}
}
