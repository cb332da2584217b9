package agg

import "time"

// maxInt is bonding's INT_MAX, the largest number of milliseconds its options take.
const maxInt = 1<<31 - 1

// optionTable is the one table of options; Options returns it.
var optionTable = []Option{ //nolint:gochecknoglobals // a constant in all but syntax
	{
		Name: "mode", Aliases: []string{"runner"}, Scope: OfAggregate, Kind: KindEnum,
		Values: []EnumValue{
			{Text: "balance-rr", Number: 0, Aliases: []string{"roundrobin"}, NotBuilt: true},
			{Text: "active-backup", Number: 1, Aliases: []string{"activebackup"}},
			{Text: "balance-xor", Number: 2, Aliases: []string{"loadbalance"}},
			{Text: "broadcast", Number: 3, NotBuilt: true},
			{Text: "802.3ad", Number: 4, Aliases: []string{"lacp"}, NotBuilt: true},
			{Text: "balance-tlb", Number: 5, NotBuilt: true},
			{Text: "balance-alb", Number: 6, NotBuilt: true},
			{Text: "random", Number: 7, NotBuilt: true},
		},
		When: AtCreation, Default: "active-backup", Bonding: "balance-rr", Teamd: "roundrobin",
		Sysfs: "mode", Netlink: 1, Module: "mode", TeamdKey: "runner.name", Built: true,
		Doc: "How the port of each transmitted frame is chosen. active-backup uses one port and keeps the others ready; " +
			"balance-xor spreads flows over all ports by a hash of the frame (xmit_hash_policy).",
	},
	{
		Name: "plane", Scope: OfAggregate, Kind: KindEnum,
		Values: []EnumValue{
			{Text: "auto", Number: 0}, {Text: "ebpf", Number: 1}, {Text: "user", Number: 2}, {Text: "mem", Number: 3},
		},
		When: AtCreation, Default: "auto", Built: true,
		Doc: "Where frames are forwarded. auto takes ebpf where the kernel allows BPF and user where it does not; " +
			"it is decided once, at creation.",
	},
	{
		Name: "xmit_hash_policy", Scope: OfAggregate, Kind: KindEnum,
		Values: []EnumValue{
			{Text: "layer2", Number: 0},
			{Text: "layer3+4", Number: 1},
			{Text: "layer2+3", Number: 2, NotBuilt: true},
			{Text: "encap2+3", Number: 3, NotBuilt: true},
			{Text: "encap3+4", Number: 4, NotBuilt: true},
			{Text: "vlan+srcmac", Number: 5, NotBuilt: true},
		},
		Modes: []Mode{BalanceXOR, LACP, BalanceTLB, BalanceALB}, Default: "layer3+4", Bonding: "layer2",
		Sysfs: "xmit_hash_policy", Netlink: 14, Module: "xmit_hash_policy", TeamdKey: "runner.tx_hash", Built: true,
		Doc: "Which fields of a frame choose its port. layer3+4 uses addresses and ports, layer2 only MAC addresses and the Ethernet type.",
	},
	{
		Name: "hash_map", Scope: OfAggregate, Kind: KindEnum,
		Values: []EnumValue{{Text: "buckets", Number: 0}, {Text: "modulo", Number: 1}},
		Modes:  []Mode{BalanceXOR, LACP, BalanceTLB, BalanceALB}, Default: "buckets", Bonding: "modulo", Built: true,
		Doc: "How the hash becomes a port. buckets: 256 buckets shared by weight, of which only those of a dead port move. " +
			"modulo: hash mod N over the usable ports, the port that the bonding driver would choose.",
	},
	{
		Name: "watch", Aliases: []string{"link_watch"}, Scope: OfAggregate, Kind: KindEnum,
		Values:  []EnumValue{{Text: "carrier", Number: 0, Aliases: []string{"ethtool", "miimon"}}, {Text: "none", Number: 1}},
		Default: "carrier", Bonding: "none", Teamd: "carrier", TeamdKey: "link_watch.name", Built: true,
		Doc: "What tells that a port works. none is blind: failures are not seen, and status says so.",
	},
	{
		Name: "miimon", Scope: OfAggregate, Kind: KindDuration, Bare: time.Millisecond, Min: 0, Max: maxInt, Unit: "ms",
		Default: "10ms", Bonding: "0s", Sysfs: "miimon", Netlink: 3, Module: "miimon", Built: true,
		Doc: "The period of the carrier poll behind the kernel's events. 0 means events only.",
	},
	{
		Name: "use_carrier", Scope: OfAggregate, Kind: KindBool, Default: "on", Bonding: "on",
		Sysfs: "use_carrier", Netlink: 6, Module: "use_carrier", Built: true,
		Doc: "on trusts the driver's carrier flag; off asks by ethtool, then by MII registers, and takes a port that answers neither as up.",
	},
	{
		Name: "updelay", Aliases: []string{"delay_up"}, Scope: OfBoth, Kind: KindDuration, Bare: time.Millisecond, Max: maxInt, Unit: "ms",
		Default: "0s", Bonding: "0s", Teamd: "0s", Sysfs: "updelay", Netlink: 4, Module: "updelay",
		TeamdKey: "link_watch.delay_up", Built: true,
		Doc: "How long a port's carrier must be up before the port is used. Not applied while no other port is up.",
	},
	{
		Name: "downdelay", Aliases: []string{"delay_down"}, Scope: OfBoth, Kind: KindDuration, Bare: time.Millisecond, Max: maxInt, Unit: "ms",
		Default: "0s", Bonding: "0s", Teamd: "0s", Sysfs: "downdelay", Netlink: 5, Module: "downdelay",
		TeamdKey: "link_watch.delay_down", Built: true,
		Doc: "How long a port's carrier may be gone before the port is given up.",
	},
	{
		Name: "primary", Scope: OfAggregate, Kind: KindName, Modes: []Mode{ActiveBackup, BalanceTLB, BalanceALB},
		Sysfs: "primary", Netlink: 11, Module: "primary", Built: true,
		Doc: "The port that is active whenever it works, subject to primary_reselect. A name that is not a port yet is remembered.",
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
		Doc: "The port to make active now. Empty clears the wish and selects anew.",
	},
	{
		Name: "num_grat_arp", Aliases: []string{"num_unsol_na"}, Scope: OfAggregate, Kind: KindInt, Max: 255,
		Default: "1", Bonding: "1", Teamd: "1", Sysfs: "num_grat_arp", Netlink: 16, Module: "num_grat_arp",
		TeamdKey: "notify_peers.count", Built: true,
		Doc: "Gratuitous ARPs and unsolicited neighbour advertisements for each address after a failover. " +
			"At present 0 sends none and any other number sends one.",
	},
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
		Name: "prio", Scope: OfPort, Kind: KindInt, Min: -1 << 31, Max: maxInt,
		Modes: []Mode{ActiveBackup, BalanceTLB, BalanceALB}, Default: "0", Bonding: "0", Teamd: "0", Netlink: 9,
		TeamdKey: "ports.PORT.prio", Built: true,
		Doc: "The port with the largest number among those that work is active, where there is no primary.",
	},
	{
		Name: "sticky", Scope: OfPort, Kind: KindBool, Modes: []Mode{ActiveBackup}, Default: "off", Teamd: "off",
		TeamdKey: "ports.PORT.sticky", Built: true,
		Doc: "on keeps the port active while it works, also when one with a larger prio comes back.",
	},
	{
		Name: "weight", Scope: OfPort, Kind: KindInt, Min: 0, Max: 65535, Modes: []Mode{BalanceXOR, LACP}, Default: "0", Built: true,
		Doc: "The port's share of the buckets beside the others' weights. 0 takes the port's speed; where any speed is unknown all weights are equal.",
	},
}
