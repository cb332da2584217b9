// Package team is the plane that lets the kernel's team driver forward: the plan becomes
// mode, ports and options of a team device, over generic netlink. The package may move:
// it is no library. Package github.com/yokelag/yoke/team is.
//
// # From plan to driver
//
//	selector     mode of the driver     ports
//	fixed        activebackup           the one that receives and sends is enabled and active
//	fixed        loadbalance            where more ports receive than send
//	round-robin  roundrobin             those of the table are enabled
//	random       random                 those of the table are enabled
//	broadcast    broadcast              those of the table are enabled
//	buckets      loadbalance            enabled where they receive; 256 hashes mapped
//	modulo       loadbalance            enabled where they receive; len(table) hashes mapped
//
// Under loadbalance the driver runs a classic BPF program over each frame and folds its
// result to eight bits. The program here computes the hash and then the entry of the
// table, which is below 256 and therefore folds to itself; each entry is mapped to its
// port. So the plan's table is the driver's, entry for entry, weights and moves included.
//
// Nothing is remembered of the driver: every Apply and Observe reads all options and
// compares values. The driver's own flags of what has changed are shared by all readers.
//
// # What outlives the daemon
//
// The driver forwards on by itself. The plan and when it was published are in
// NAME.team.json; a plan counts as published only while the driver's options are those
// that it makes. A device that somebody else made, teamd say, is adopted with its ports.
//
// # What it is not
//
// The mode of the driver can change only without ports, so between selectors of different
// modes the ports leave and come back. A port that joins is enabled by the driver at once,
// and disabled, where it is to be, by the next message. Frames of the dead port are lost
// until the next plan, except in modes roundrobin, random and broadcast, which look at the
// carrier.
package team
