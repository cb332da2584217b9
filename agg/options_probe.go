package agg

import "time"

// probeOptions are the options of how ports are probed with ARP, neighbour discovery and TIPC.
func probeOptions() []Option {
	return []Option{
		{
			Name: "arp_interval", Aliases: []string{"interval"}, Scope: OfAggregate, Kind: KindDuration, Bare: time.Millisecond, Max: maxInt, Unit: "ms",
			Modes:   []Mode{BalanceRR, ActiveBackup, BalanceXOR, Broadcast, Random},
			Default: "1s", Bonding: "0s", Teamd: "1s",
			Sysfs: "arp_interval", Netlink: 7, Module: "arp_interval", TeamdKey: "link_watch.interval",
			Built: true, Planes: onlyBonding(),
			Doc: "The period of ARP or neighbour probes. On plane bonding there are none unless it is given, and then no miimon.",
		},
		{
			Name: "arp_ip_target", Scope: OfAggregate, Kind: KindList, Unit: "IPv4 addresses, at most 16",
			Modes: []Mode{BalanceRR, ActiveBackup, BalanceXOR, Broadcast, Random},
			Sysfs: "arp_ip_target", Netlink: 8, Module: "arp_ip_target", TeamdKey: "link_watch.target_host",
			Built: true, Planes: onlyBonding(),
			Doc: "The hosts that ARP probes ask.",
		},
		{
			Name: "ns_ip6_target", Scope: OfAggregate, Kind: KindList, Unit: "IPv6 addresses, at most 16",
			Modes: []Mode{BalanceRR, ActiveBackup, BalanceXOR, Broadcast, Random}, Netlink: 31, TeamdKey: "link_watch.target_host",
			Built: true, Planes: onlyBonding(),
			Doc: "The hosts that neighbour solicitations ask.",
		},
		{
			Name: "arp_validate", Scope: OfAggregate, Kind: KindEnum,
			Values: []EnumValue{
				{Text: "none", Number: 0},
				{Text: "active", Number: 1},
				{Text: "backup", Number: 2},
				{Text: "all", Number: 3},
				{Text: "filter", Number: 4},
				{Text: "filter_active", Number: 5},
				{Text: "filter_backup", Number: 6},
			},
			Modes:   []Mode{BalanceRR, ActiveBackup, BalanceXOR, Broadcast, Random},
			Default: "none", Bonding: "none", Teamd: "none",
			Sysfs: "arp_validate", Netlink: 9, Module: "arp_validate", TeamdKey: "link_watch.validate_active,link_watch.validate_inactive",
			Built: true, Planes: onlyBonding(),
			Doc: "On which ports only answers of the targets count as life. filter counts ARP and neighbour frames only, without looking at who sent them.",
		},
		{
			Name: "arp_all_targets", Scope: OfAggregate, Kind: KindEnum,
			Values: []EnumValue{
				{Text: "any", Number: 0},
				{Text: "all", Number: 1},
			},
			Modes:   []Mode{BalanceRR, ActiveBackup, BalanceXOR, Broadcast, Random},
			Default: "any", Bonding: "any",
			Sysfs: "arp_all_targets", Netlink: 10, Module: "arp_all_targets",
			Built: true, Planes: onlyBonding(),
			Doc: "Whether one target must answer or all.",
		},
		{
			Name: "arp_missed_max", Aliases: []string{"missed_max"}, Scope: OfAggregate, Kind: KindInt, Min: 1, Max: 255, Unit: "probes",
			Modes:   []Mode{BalanceRR, ActiveBackup, BalanceXOR, Broadcast, Random},
			Default: "2", Bonding: "2", Teamd: "3",
			Sysfs: "arp_missed_max", Netlink: 30, TeamdKey: "link_watch.missed_max",
			Built: true, Planes: onlyBonding(),
			Doc: "How many probes in a row may stay without an answer.",
		},
		{
			Name: "arp_init_wait", Aliases: []string{"init_wait"}, Scope: OfAggregate, Kind: KindDuration, Bare: time.Millisecond, Max: maxInt, Unit: "ms",
			Modes:   []Mode{BalanceRR, ActiveBackup, BalanceXOR, Broadcast, Random},
			Default: "0s", Teamd: "0s", TeamdKey: "link_watch.init_wait",
			Doc: "How long after a port was added its first probe leaves.",
		},
		{
			Name: "arp_source", Aliases: []string{"source_host"}, Scope: OfAggregate, Kind: KindText,
			Modes: []Mode{BalanceRR, ActiveBackup, BalanceXOR, Broadcast, Random}, Teamd: "0.0.0.0", TeamdKey: "link_watch.source_host",
			Doc: "The sender address of ARP probes. Unset takes the aggregate's own towards the target.",
		},
		{
			Name: "arp_send_always", Aliases: []string{"send_always"}, Scope: OfAggregate, Kind: KindBool,
			Modes:   []Mode{BalanceRR, ActiveBackup, BalanceXOR, Broadcast, Random},
			Default: "off", Teamd: "off", TeamdKey: "link_watch.send_always",
			Doc: "on probes through ports that stand by, too.",
		},
		{
			Name: "arp_vlan", Aliases: []string{"vlanid"}, Scope: OfAggregate, Kind: KindInt, Max: 4095,
			Modes:   []Mode{BalanceRR, ActiveBackup, BalanceXOR, Broadcast, Random},
			Default: "0", Teamd: "0", TeamdKey: "link_watch.vlanid",
			Doc: "The VLAN that ARP probes are sent in. 0 is none.",
		},
		{
			Name: "tipc_bearer", Scope: OfAggregate, Kind: KindText, TeamdKey: "link_watch.tipc_bearer",
			Doc: "The TIPC bearer whose links tell that a port works.",
		},
	}
}
