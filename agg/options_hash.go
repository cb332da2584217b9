package agg

import "time"

// hashOptions are the options of how hashes become ports, and how load moves them.
func hashOptions() []Option {
	return []Option{
		{
			Name: "xmit_hash_policy", Scope: OfAggregate, Kind: KindEnum,
			Values: []EnumValue{
				{Text: "layer2", Number: 0},
				{Text: "layer3+4", Number: 1},
				{Text: "layer2+3", Number: 2},
				{Text: "encap2+3", Number: 3},
				{Text: "encap3+4", Number: 4},
				{Text: "vlan+srcmac", Number: 5},
			},
			Modes: []Mode{BalanceXOR, LACP, BalanceTLB, BalanceALB}, Default: "layer3+4", Bonding: "layer2",
			Sysfs: "xmit_hash_policy", Netlink: 14, Module: "xmit_hash_policy", Built: true,
			Doc: "Which fields of a frame choose its port. layer3+4 uses addresses and ports, layer2+3 MAC and IP addresses, layer2 only MAC addresses " +
				"and the Ethernet type, vlan+srcmac the VLAN tag and the source MAC address. encap2+3 and encap3+4 look through VLAN tags, PPPoE, IP in IP and GRE.",
		},
		{
			Name: "hash_map", Scope: OfAggregate, Kind: KindEnum,
			Values: []EnumValue{{Text: "buckets", Number: 0}, {Text: "modulo", Number: 1}},
			Modes:  []Mode{BalanceXOR, LACP, BalanceTLB, BalanceALB}, Default: "buckets", Bonding: "modulo", Built: true,
			Doc: "How the hash becomes a port. buckets: 256 buckets shared by weight, of which only those of a dead port move. " +
				"modulo: hash mod N over the usable ports, the port that the bonding driver would choose.",
		},
		{
			Name: "weight", Scope: OfPort, Kind: KindInt, Min: 0, Max: 65535, Modes: []Mode{BalanceXOR, LACP}, Default: "0", Built: true,
			Doc: "The port's share of the buckets beside the others' weights. 0 takes the port's speed; where any speed is unknown all weights are equal.",
		},
		{
			Name: "tx_hash", Scope: OfAggregate, Kind: KindList,
			Values: fieldValues(),
			Modes:  []Mode{BalanceXOR, LACP}, Teamd: "eth,ipv4,ipv6", TeamdKey: "runner.tx_hash", Built: true,
			Doc: "The fields that enter teamd's transmit hash; l3 is ipv4 and ipv6, as ip, and l4 is tcp, udp and sctp. xmit_hash_policy is the other way to say it.",
		},
		{
			Name: "tx_balancer", Scope: OfAggregate, Kind: KindEnum,
			Values: []EnumValue{
				{Text: "off", Number: 0},
				{Text: "basic", Number: 1},
			},
			Modes:   []Mode{BalanceXOR, LACP},
			Default: "off", Teamd: "off", TeamdKey: "runner.tx_balancer.name",
			Doc: "basic moves buckets between ports by the bytes they carried.",
		},
		{
			Name: "balancing_interval", Scope: OfAggregate, Kind: KindDuration, Bare: 100 * time.Millisecond, Max: maxInt, Unit: "tenths of a second",
			Modes:   []Mode{BalanceXOR, LACP},
			Default: "5s", Teamd: "5s", TeamdKey: "runner.tx_balancer.balancing_interval",
			Doc: "How often the balancer looks at the load.",
		},
		{
			Name: "tlb_dynamic_lb", Scope: OfAggregate, Kind: KindBool,
			Modes: []Mode{BalanceTLB, BalanceALB}, When: DeviceDown,
			Default: "on", Bonding: "on",
			Sysfs: "tlb_dynamic_lb", Netlink: 27,
			Built: true, Planes: onlyBonding(),
			Doc: "on moves flows by load; off spreads them by xmit_hash_policy alone.",
		},
		{
			Name: "lp_interval", Scope: OfAggregate, Kind: KindDuration, Bare: time.Second, Min: 1, Max: maxInt, Unit: "s",
			Modes:   []Mode{BalanceTLB, BalanceALB},
			Default: "1s", Bonding: "1s",
			Sysfs: "lp_interval", Netlink: 19, Module: "lp_interval",
			Built: true, Planes: onlyBonding(),
			Doc: "The period of learning packets to the switches.",
		},
	}
}
