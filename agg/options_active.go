package agg

// activeOptions are the options of which port is active.
func activeOptions() []Option {
	return []Option{
		{
			Name: "primary", Scope: OfAggregate, Kind: KindName, Modes: []Mode{ActiveBackup, BalanceTLB, BalanceALB},
			Sysfs: "primary", Netlink: 11, Module: "primary", Built: true,
			Doc: "The port that is active whenever it works, subject to primary_reselect. A name that is not a port yet is remembered. To set it, also to what it is, makes it active now where it works.",
		},
		{
			Name: "primary_reselect", Scope: OfAggregate, Kind: KindEnum,
			Values: []EnumValue{{Text: "always", Number: 0}, {Text: "better", Number: 1}, {Text: "failure", Number: 2}},
			Modes:  []Mode{ActiveBackup, BalanceTLB, BalanceALB}, Default: "always", Bonding: "always",
			Sysfs: "primary_reselect", Netlink: 12, Module: "primary_reselect", Built: true,
			Doc: "When the primary takes over again after it comes back: always, only if it is faster than the active port (better), " +
				"or only when the active port fails (failure).",
		},
		{
			Name: "active_slave", Aliases: []string{"active_port"}, Scope: OfAggregate, Kind: KindName,
			Modes: []Mode{ActiveBackup, BalanceTLB, BalanceALB}, Sysfs: "active_slave", Netlink: 2,
			TeamdKey: "runner.active_port", Built: true,
			Doc: "The port to make active now, each time that it is set. Empty clears the wish and selects anew.",
		},
		{
			Name: "prio", Scope: OfPort, Kind: KindInt, Min: -1 << 31, Max: maxInt,
			Modes: []Mode{ActiveBackup, LACP, BalanceTLB, BalanceALB}, Default: "0", Bonding: "0", Teamd: "0", Netlink: 9,
			TeamdKey: "ports.PORT.prio", Built: true,
			Doc: "The port with the largest number among those that work is active, where there is no primary.",
		},
		{
			Name: "sticky", Scope: OfPort, Kind: KindBool, Modes: []Mode{ActiveBackup, LACP}, Default: "off", Teamd: "off",
			TeamdKey: "ports.PORT.sticky", Built: true,
			Doc: "on keeps the port active while it works, also when one with a larger prio comes back. In mode 802.3ad it serves ad_select=port_config, as prio does.",
		},
	}
}
