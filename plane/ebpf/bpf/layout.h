/* SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause) */
/*
 * The layout of everything that the programs and Go share. Go's types are generated
 * from this file; there is no second description. A change here that a running
 * aggregate would not survive raises LAYOUT.
 */
#pragma once

#define LAYOUT 3
#define SLOTS 8 /* plans kept; one is in force, the others wait for readers to leave */
#define PORTS 64
#define ENTRIES 256
#define NOWHERE 255

/* Where a frame goes instead of by an entry of the table. */
enum way {
	SINGLE = ENTRIES, /* the choice behind the last entry, for the classes of plan.unbalanced */
	COPIES,           /* a copy by each port */
	BY_TABLE,
	BY_PORT = 512, /* and from there on the place of a port */
};

enum flag {
	BLOCKED = 1,     /* drop both ways */
	FAST = 2,        /* bypass the device's own counters */
	FAST_WANTED = 4, /* asked for; not in force while the device is elsewhere */
	CARRIER = 8,
	APART = 16,     /* some frames are not for the table: classes, queues */
	PEER = 32,      /* receive at the outer end, which is in another namespace */
	QUEUES = 65536, /* ports have queues; this and REWRITE travel beside the entry in cb */
	REWRITE = 131072, /* ports have source addresses to write */
};

enum port_flag {
	USED = 1,
	TRANSMIT = 2,
	RECEIVE = 4,
};

/* One entry of the table: places in plan.ports, or NOWHERE. first is above PORTS by MOVES where
 * the entry moves, agg.Choice.Moves: so it is the place of no port, and whatever finds no port
 * there looks closer, and the others need not ask. */
struct choice {
	__u8 first;
	__u8 second;
};

#define MOVES PORTS
#define MOVED(c) ((__u32)(c).first << 8 | (c).second)

struct port {
	__u32 ifindex; /* 0: absent */
	enum port_flag flags;
	__u8 source_mac[6];
	__u8 mac[6];   /* of the interface; 0: that of the plan. Kept for reading back */
	__u8 position; /* in the plan's configured order */
	__s8 order;    /* in the usable order, or negative */
	__u16 queue;   /* whose frames leave by this port; 0: none */
	char name[16];
};

/* What the programs do, whole. Hot fields first. */
struct plan {
	enum flag flags;
	__u32 select; /* agg.Selector */
	__u32 hash;   /* agg.HashPolicy */
	__u32 entries;
	__u32 inner; /* ifindex of the hidden end of the aggregate's device */
	__u32 outer; /* ifindex of the aggregate's device */
	struct choice table[ENTRIES + 1]; /* the last is SINGLE */
	struct port ports[PORTS];
	/* Written by guard, 0 in a new plan: ports to receive on besides those with RECEIVE,
	 * because frames are moved to them. */
	__u8 opened[PORTS];
	/* used by few frames, or kept for reading back */
	__u64 generation;
	__u64 published_at; /* CLOCK_BOOTTIME, ns */
	__u32 mode;
	__u32 mtu;
	__u32 packets_per_port;
	__u32 punt;
	__u32 copied;     /* agg.FrameClass, as punt */
	__u32 unbalanced; /* the same, for SINGLE */
	__s16 multicast;
	__u8 mac[6];
};

struct port_stats {
	__u64 tx_frames;
	__u64 tx_bytes;
	__u64 rx_frames;
	__u64 rx_bytes;
	__u64 own_dropped;
	__u64 rx_dropped;
	__u64 guard_moved;
};

struct entry_stats {
	__u64 frames;
	__u64 bytes;
	__u64 last_used; /* CLOCK_MONOTONIC_COARSE, ns */
};

/* What is known of an entry that moves, for all processors. */
struct move {
	struct bpf_spin_lock lock;
	__u32 moved;     /* frames leave by the second of these choices, as MOVED has them; or 0 */
	__u64 last_used; /* since the plan is in force, or 0; CLOCK_MONOTONIC, ns */
};

/* Why a frame was dropped: the index into the map of drop counters. */
enum reason {
	BLOCKED_TX,
	BLOCKED_RX,
	NO_PLAN,
	NO_PORT,
	STANDBY,
	OWN,
	REASONS,
};

/* What must be remembered of a taken port beside its journal. */
struct taken {
	__u32 ifindex;
	__u64 tx_base;     /* the port's own tx_packets when it was taken */
};

/* Words of skb->cb between entry, hop and guard. */
enum cb {
	CB_COOKIE,
	CB_ENTRY, /* the entry or way, and flags from QUEUES up */
	CB_IFINDEX,
	CB_PRIORITY,
	CB_MOVED,
};
