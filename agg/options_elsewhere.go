package agg

// elsewhereOptions are the options of what bonding and teamd call options and Yoke says otherwise.
func elsewhereOptions() []Option {
	return []Option{
		{
			Name: "slaves", Scope: OfAggregate, Kind: KindList,
			Sysfs: "slaves", TeamdKey: "ports",
			Instead: "name ports as words: yoke up bond0 eth1 eth2, yoke add bond0 eth3",
			Doc:     "The ports. In Yoke they are words of their own.",
		},
		{
			Name: "device", Scope: OfAggregate, Kind: KindName, TeamdKey: "device",
			Instead: "the name is the first word: yoke up bond0 eth1 eth2",
			Doc:     "The name of the aggregate. In Yoke it is the first word.",
		},
		{
			Name: "max_bonds", Scope: OfAggregate, Kind: KindInt, Max: maxInt, Bonding: "1", Module: "max_bonds",
			Instead: "make each aggregate by itself: yoke up bond0 eth1 eth2",
			Doc:     "How many bonds bonding.ko makes when it is loaded. Yoke makes the aggregates that are asked for.",
		},
		{
			Name: "debug_level", Scope: OfAggregate, Kind: KindInt, Max: maxInt, Teamd: "0", TeamdKey: "debug_level",
			Instead: "leave it out; the daemon has its own logging flags, see yoked --help",
			Doc:     "How much teamd logs. Logging belongs to the daemon here, and not to an aggregate.",
		},
		{
			Name: "runner.addr", Scope: OfAggregate, Kind: KindText, TeamdKey: "runner.addr",
			Instead: "leave it out; the API is the daemon's UNIX socket",
			Doc:     "Where teamd listens with ZeroMQ.",
		},
	}
}
