package agg

import "time"

// announceOptions are the options of what neighbours are told after a failover.
func announceOptions() []Option {
	return []Option{
		{
			Name: "num_grat_arp", Aliases: []string{"num_unsol_na"}, Scope: OfAggregate, Kind: KindInt, Max: 255,
			Default: "1", Bonding: "1", Teamd: "1", Sysfs: "num_grat_arp", Netlink: 16, Module: "num_grat_arp",
			TeamdKey: "notify_peers.count", Built: true,
			Doc: "Gratuitous ARPs and unsolicited neighbour advertisements for each address after a failover. " +
				"Each is repeated for the VLANs and macvlans above the aggregate, with their tags. Modes that share send them when a port is lost, " +
				"and, where the number is set, when one begins to carry.",
		},
		{
			Name: "peer_notif_delay", Aliases: []string{"notify_peers_interval"}, Scope: OfAggregate, Kind: KindDuration, Bare: time.Millisecond, Max: 300000, Unit: "ms",
			Default: "0s", Bonding: "0s", Teamd: "0s",
			Sysfs: "peer_notif_delay", Netlink: 28, TeamdKey: "notify_peers.interval", Built: true,
			Doc: "The time between two announcements of one failover. 0 sends them miimon apart.",
		},
		{
			Name: "resend_igmp", Aliases: []string{"mcast_rejoin_count"}, Scope: OfAggregate, Kind: KindInt, Max: 255, Unit: "reports",
			Default: "1", Bonding: "1", Teamd: "1",
			Sysfs: "resend_igmp", Netlink: 15, Module: "resend_igmp", TeamdKey: "mcast_rejoin.count", Built: true,
			Doc: "How many reports (IGMP, MLD) of each multicast group of the aggregate, and of the VLANs and macvlans above it, follow a failover.",
		},
		{
			Name: "mcast_rejoin_interval", Scope: OfAggregate, Kind: KindDuration, Bare: time.Millisecond, Max: maxInt, Unit: "ms",
			Default: "200ms", Teamd: "0s", TeamdKey: "mcast_rejoin.interval", Built: true,
			Doc: "The time between two membership reports of one failover.",
		},
	}
}
