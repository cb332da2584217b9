package agg

import "time"

// lacpOptions are the options of link aggregation control.
func lacpOptions() []Option {
	return []Option{
		{
			Name: "lacp_rate", Scope: OfAggregate, Kind: KindEnum,
			Values: []EnumValue{
				{Text: "slow", Number: 0},
				{Text: "fast", Number: 1},
			},
			Modes: []Mode{LACP}, When: DeviceDown,
			Default: "slow", Bonding: "slow", Teamd: "slow",
			Sysfs: "lacp_rate", Netlink: 21, Module: "lacp_rate", TeamdKey: "runner.fast_rate",
			Built: true,
			Doc:   "How often the partner is asked to send LACPDUs: every 30 s, or every second.",
		},
		{
			Name: "lacp_active", Scope: OfAggregate, Kind: KindBool,
			Modes: []Mode{LACP}, When: DeviceDown,
			Default: "on", Bonding: "on", Teamd: "on",
			Sysfs: "lacp_active", Netlink: 29, TeamdKey: "runner.active",
			Built: true,
			Doc:   "off speaks LACP only when spoken to.",
		},
		{
			Name: "ad_select", Aliases: []string{"agg_select_policy"}, Scope: OfAggregate, Kind: KindEnum,
			Values: []EnumValue{
				{Text: "stable", Number: 0},
				{Text: "bandwidth", Number: 1},
				{Text: "count", Number: 2},
				{Text: "actor_port_prio", Number: 3},
				{Text: "lacp_prio", Number: -1},
				{Text: "lacp_prio_stable", Number: -1},
				{Text: "port_config", Number: -1},
			},
			Modes: []Mode{LACP}, When: DeviceDown,
			Default: "stable", Bonding: "stable", Teamd: "lacp_prio",
			Sysfs: "ad_select", Netlink: 22, Module: "ad_select", TeamdKey: "runner.agg_select_policy",
			Built: true,
			Doc:   "Which aggregator carries traffic where the ports form several. The last three are teamd's.",
		},
		{
			Name: "ad_actor_sys_prio", Aliases: []string{"sys_prio"}, Scope: OfAggregate, Kind: KindInt, Max: 65535,
			Modes:   []Mode{LACP},
			Default: "65535", Bonding: "65535", Teamd: "65535",
			Sysfs: "ad_actor_sys_prio", Netlink: 24, TeamdKey: "runner.sys_prio",
			Built: true,
			Doc:   "The system priority in LACPDUs; the smaller number has the better priority. Bonding takes 1 to 65535.",
		},
		{
			Name: "ad_actor_system", Scope: OfAggregate, Kind: KindMAC,
			Modes:   []Mode{LACP},
			Default: "00:00:00:00:00:00", Bonding: "00:00:00:00:00:00",
			Sysfs: "ad_actor_system", Netlink: 26,
			Built: true,
			Doc:   "The system address in LACPDUs. All zero takes that of the aggregate.",
		},
		{
			Name: "ad_user_port_key", Scope: OfAggregate, Kind: KindInt, Max: 1023,
			Modes: []Mode{LACP}, When: DeviceDown,
			Default: "0", Bonding: "0",
			Sysfs: "ad_user_port_key", Netlink: 25,
			Built: true,
			Doc:   "The upper ten bits of the ports' keys.",
		},
		{
			Name: "min_links", Aliases: []string{"min_ports"}, Scope: OfAggregate, Kind: KindInt, Max: maxInt, Unit: "ports",
			Default: "0", Bonding: "0", Teamd: "1",
			Sysfs: "min_links", Netlink: 18, Module: "min_links", TeamdKey: "runner.min_ports",
			Built: true,
			Doc: "How many ports must work for the aggregate to have carrier; with fewer it neither sends nor receives. 0 and 1 are the same. " +
				"The bonding driver, on its plane too, and teamd count in mode 802.3ad only.",
		},
		{
			Name: "coupled_control", Scope: OfAggregate, Kind: KindBool,
			Modes: []Mode{LACP}, When: DeviceDown,
			Default: "off", Bonding: "on", Netlink: 32,
			Built: true,
			Doc:   "off lets a port collect before it distributes, as newer editions of the standard do, so that nothing is lost while the two ends come up.",
		},
		{
			Name: "broadcast_neighbor", Scope: OfAggregate, Kind: KindBool,
			Modes:   []Mode{LACP},
			Default: "off", Bonding: "off", Netlink: 33,
			Built: true,
			Doc:   "on sends ARP and neighbour discovery out of every port, for pairs of switches that are no stack.",
		},
		{
			Name: "lacp_strict", Scope: OfAggregate, Kind: KindBool,
			Modes:   []Mode{LACP},
			Default: "on", Bonding: "off", Teamd: "on", Netlink: 34,
			Built: true,
			Doc:   "on gives the aggregate carrier only while a port distributes, so that nothing is sent into links whose partner does not answer. off counts links that are up. fallback serves partners that do not speak LACP yet.",
		},
		{
			Name: "max_links", Scope: OfAggregate, Kind: KindInt, Max: MaxPorts, Unit: "ports",
			Modes:   []Mode{LACP},
			Default: "0", Built: true,
			Doc: "How many ports carry at most; the others wait in standby. The end whose system is better decides which. 0 is no limit.",
		},
		{
			Name: "fallback", Scope: OfAggregate, Kind: KindEnum,
			Values: []EnumValue{{Text: "none", Number: 0}, {Text: "static", Number: 1}, {Text: "individual", Number: 2}},
			Modes:  []Mode{LACP}, Default: "none", Built: true,
			Doc: "What happens while no partner speaks, as while a machine boots by network. static and individual open the one port that is first by port ID; " +
				"with individual its LACPDUs say that it is a link by itself. none opens no port.",
		},
		{
			Name: "fallback_timeout", Scope: OfAggregate, Kind: KindDuration, Max: 3600000, Unit: "ms", Bare: time.Millisecond,
			Modes: []Mode{LACP}, Default: "5s", Built: true,
			Doc: "How long after the last partner was given up fallback begins.",
		},
		{
			Name: "lacp_wait", Scope: OfAggregate, Kind: KindEnum,
			Values: []EnumValue{{Text: "fast", Number: 0}, {Text: "strict", Number: 1}},
			Modes:  []Mode{LACP}, Default: "fast", Built: true,
			Doc: "How long a port waits for others before it joins its aggregator. fast: only while others may still come, 0.2 s at most. strict: the 2 s of the standard.",
		},
		{
			Name: "wait_to_restore", Scope: OfAggregate, Kind: KindDuration, Max: 3600000, Unit: "ms", Bare: time.Millisecond,
			Modes: []Mode{LACP}, Default: "0s", Built: true,
			Doc: "How long a port whose link came back is left out while others carry.",
		},
		{
			Name: "max_orphan_time", Scope: OfAggregate, Kind: KindDuration, Max: 3600000, Unit: "ms", Bare: time.Millisecond,
			Modes: []Mode{LACP}, Default: "1m30s", Built: true,
			Doc: "For how long partners are answered as before while no daemon is there. Planes ebpf and team can do that. 0 lets them notice at once.",
		},
		{
			Name: "revertive", Scope: OfAggregate, Kind: KindBool,
			Modes: []Mode{LACP}, Default: "on", Built: true,
			Doc: "off lets a better port that comes back wait in standby while max_links others carry.",
		},
		{
			Name: "actor_port_prio", Aliases: []string{"lacp_prio"}, Scope: OfPort, Kind: KindInt, Max: 65535,
			Modes:   []Mode{LACP},
			Default: "255", Bonding: "255", Teamd: "255", Netlink: 10, TeamdKey: "ports.PORT.lacp_prio",
			Built: true,
			Doc:   "The port priority in LACPDUs. ad_select=actor_port_prio prefers the larger sum, teamd's lacp_prio the smaller number.",
		},
		{
			Name: "lacp_key", Scope: OfPort, Kind: KindInt, Max: 65535,
			Modes:   []Mode{LACP},
			Default: "0", Teamd: "0", TeamdKey: "ports.PORT.lacp_key",
			Built: true,
			Doc:   "The port's key in LACPDUs; ports of one aggregator have the same. 0 makes it of speed and duplex.",
		},
	}
}
