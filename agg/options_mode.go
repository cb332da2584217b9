package agg

import "time"

// modeOptions are the options of how frames find their port.
func modeOptions() []Option {
	return []Option{
		{
			Name: "mode", Aliases: []string{"runner"}, Scope: OfAggregate, Kind: KindEnum,
			Values: []EnumValue{
				{Text: "balance-rr", Number: 0, Aliases: []string{"roundrobin"}},
				{Text: "active-backup", Number: 1, Aliases: []string{"activebackup"}},
				{Text: "balance-xor", Number: 2, Aliases: []string{"loadbalance"}},
				{Text: "broadcast", Number: 3},
				{Text: "802.3ad", Number: 4, Aliases: []string{"lacp"}},
				{Text: "balance-tlb", Number: 5, Planes: onlyBonding()},
				{Text: "balance-alb", Number: 6, Planes: onlyBonding()},
				{Text: "random", Number: -1}, // bonding has no number for it
			},
			When: AtCreation, Default: "active-backup", Bonding: "balance-rr", Teamd: "roundrobin",
			Sysfs: "mode", Netlink: 1, Module: "mode", TeamdKey: "runner.name", Built: true,
			Doc: "How the port of each transmitted frame is chosen. active-backup uses one port and keeps the others ready; " +
				"balance-xor spreads flows over all ports by a hash of the frame (xmit_hash_policy); 802.3ad does so over those that LACP agreed on with the other end. " +
				"balance-rr and random spread frames whatever flow they are of, which reorders TCP; broadcast sends each frame on every port.",
		},
		{
			Name: "plane", Scope: OfAggregate, Kind: KindEnum,
			Values: []EnumValue{
				{Text: "auto", Number: 0}, {Text: "ebpf", Number: 1}, {Text: "user", Number: 2}, {Text: "mem", Number: 3}, {Text: "team", Number: 4}, {Text: "bonding", Number: 5},
			},
			Default: "auto", Built: true,
			Doc: "Where frames are forwarded. auto takes team where the kernel has that driver and it can do what is asked, " +
				"else ebpf where the kernel allows BPF, else user; it is decided once, at creation. An aggregate that runs is moved to another that is named, or the change is refused with what would be lost. bonding, taken only when it is asked for, has the kernel's bonding driver run the mode by itself.",
		},
		{
			Name: "packets_per_slave", Aliases: []string{"packets_per_port"}, Scope: OfAggregate, Kind: KindInt, Max: 65535, Unit: "frames",
			Modes:   []Mode{BalanceRR},
			Default: "1", Bonding: "1",
			Sysfs: "packets_per_slave", Netlink: 20, Module: "packets_per_slave", Built: true,
			Doc: "How many frames a port sends before it is the next one's turn, counted by each processor for itself. 0 takes a random port for each frame.",
		},
		{
			Name: "all_slaves_active", Aliases: []string{"all_ports_active"}, Scope: OfAggregate, Kind: KindBool,
			Default: "off", Bonding: "off",
			Sysfs: "all_slaves_active", Netlink: 17, Module: "all_slaves_active", Built: true,
			Doc: "on accepts frames that arrive on ports that stand by. What a switch floods then arrives once by each port.",
		},
		{
			Name: "drain_timeout", Scope: OfAggregate, Kind: KindDuration, Max: 60000, Unit: "ms", Bare: time.Millisecond,
			Modes:   []Mode{ActiveBackup, BalanceXOR, LACP},
			Default: "1s", Built: true,
			Doc: "How long traffic that is to leave a port that works waits at most for a pause of its own, so that no frame overtakes another: when a port is removed or added, " +
				"comes back, gives way to a better one, or weights change. A flow that never pauses for 20 ms is moved when the time is over. 0 moves everything at once.",
		},
		{
			Name: "queue_id", Scope: OfPort, Kind: KindInt, Max: 65535,
			Default: "0", Bonding: "0",
			Sysfs: "queue_id", Netlink: 5, TeamdKey: "ports.PORT.queue_id", Built: true,
			Doc: "Frames that were given this transmit queue, by a BPF filter on the aggregate, leave by the port while it works. 0 is none; no two ports may have the same. The action skbedit gives only numbers of queues that there are, and the device has one. " +
				"Only plane ebpf sees the queue, and with fast_path only one that was given before its program runs.",
		},
	}
}
