package agg

import "time"

// watchOptions are the options of what tells that a port works.
func watchOptions() []Option {
	return []Option{
		{
			Name: "watch", Aliases: []string{"link_watch"}, Scope: OfAggregate, Kind: KindEnum,
			Values: []EnumValue{
				{Text: "carrier", Number: 0, Aliases: []string{"ethtool", "miimon"}},
				{Text: "none", Number: 1},
				{Text: "arp", Number: 2, Aliases: []string{"arp_ping"}, NotBuilt: true},
				{Text: "ns", Number: 3, Aliases: []string{"nsna_ping"}, NotBuilt: true},
				{Text: "tipc", Number: 4, NotBuilt: true},
			},
			Default: "carrier", Bonding: "none", Teamd: "carrier", TeamdKey: "link_watch.name", Built: true,
			Doc: "What tells that a port works. none is blind: failures are not seen, and status says so.",
		},
		{
			Name: "watch_policy", Aliases: []string{"link_watch_policy"}, Scope: OfAggregate, Kind: KindEnum,
			Values: []EnumValue{
				{Text: "any", Number: 0},
				{Text: "all", Number: 1},
			},
			Default: "any", Teamd: "any", TeamdKey: "link_watch_policy",
			Doc: "Whether one of several watches is enough for a port to be up, or all must agree.",
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
	}
}
