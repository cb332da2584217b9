/* SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause) */
/* How a frame becomes an entry of the table, and the mark that it carries from there. */
#pragma once

#include "maps.h"
#include "hash_more.h"

/* agg.Selector */
#define SELECT_FIXED 0
#define SELECT_BUCKETS 1
#define SELECT_MODULO 2
#define SELECT_ROUND_ROBIN 3
#define SELECT_RANDOM 4
#define SELECT_BROADCAST 5

#define EVERYWHERE 0xffffffff /* in place of an ifindex */
#define WAYS (QUEUES - 1)     /* the bits of the way in CB_ENTRY */

/* What plans may ask of a program. There is one of each, since the kernel takes ten times
 * as long to check and to build the last as the first. */
enum reach {
	FIXED,  /* one port for all */
	COMMON, /* and buckets and moduli of layer2 and layer3+4 */
	WHOLE,  /* everything */
};

static __always_inline __u32 hash_of(struct __sk_buff *skb, struct plan *plan, enum reach reach)
{
	if (plan->hash == HASH_LAYER34)
		return hash_layer34(skb);
	if (plan->hash == HASH_LAYER2)
		return hash_layer2(skb);
	return reach == WHOLE ? hash_more(skb, plan->hash) : 0;
}

/* turn counts the frames of this processor. */
static __always_inline __u32 turn(struct plan *plan)
{
	__u32 zero = 0, count;
	__u32 *turns = bpf_map_lookup_elem(&yoke_turn, &zero);

	if (!turns)
		return 0;
	count = *turns;
	*turns = count + 1;
	return plan->packets_per_port > 1 ? count / plan->packets_per_port : count;
}

/* select_way is an entry of the table, or COPIES. */
static __always_inline __u64 select_way(struct __sk_buff *skb, struct plan *plan, enum reach reach)
{
	__u32 number;

	if (reach == FIXED || plan->select == SELECT_FIXED)
		return 0;
	if (reach != WHOLE || plan->select <= SELECT_MODULO) {
		number = hash_of(skb, plan, reach);
		if (plan->select == SELECT_BUCKETS)
			return number * 0x9E3779B1 >> 24;
	} else if (plan->select == SELECT_ROUND_ROBIN) {
		number = turn(plan);
	} else if (plan->select == SELECT_RANDOM) {
		number = bpf_get_prandom_u32();
	} else {
		return COPIES;
	}
	return plan->entries ? number % plan->entries & (ENTRIES - 1) : 0;
}

static __always_inline __u32 ifindex_of(struct plan *plan, __u32 port)
{
	return port < PORTS ? plan->ports[port].ifindex : 0;
}

static __always_inline void count_entry(struct __sk_buff *skb, __u32 entry)
{
	struct entry_stats *s = bpf_map_lookup_elem(&yoke_entries, &entry);

	if (!s)
		return;
	s->frames += 1;
	s->bytes += skb->len;
	s->last_used = bpf_ktime_get_coarse_ns();
}

/* mark leaves in the frame what hop and guard need. */
static __always_inline void mark(struct __sk_buff *skb, struct plan *plan, __u64 way, __u32 ifindex)
{
	skb->cb[CB_COOKIE] = cookie;
	skb->cb[CB_ENTRY] = way | (plan->flags & (QUEUES | REWRITE));
	skb->cb[CB_IFINDEX] = way == COPIES ? EVERYWHERE : ifindex;
	skb->cb[CB_PRIORITY] = skb->priority;
	skb->cb[CB_MOVED] = 0;
}
