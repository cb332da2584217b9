// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
/* The data plane of one aggregate; ../doc.go has the drawing. */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>
#include "layout.h"
#include "maps.h"
#include "hash.h"
#include "frame.h"
#include "kernel.h"

#define SELECT_FIXED 0
#define SELECT_BUCKETS 1

/* select_entry turns a frame into an entry of the table. */
static __always_inline __u32 select_entry(struct __sk_buff *skb, struct plan *plan)
{
	__u32 hash;

	if (plan->select == SELECT_FIXED)
		return 0;
	hash = plan->hash == HASH_LAYER2 ? hash_layer2(skb) : hash_layer34(skb);
	if (plan->select == SELECT_BUCKETS)
		return hash * 0x9E3779B1 >> 24;
	return plan->entries ? hash % plan->entries : 0;
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

/* steer chooses the frame's port, marks the frame and returns the port's ifindex;
 * 0 where it has to be dropped, with the reason. */
static __always_inline __u32 steer(struct __sk_buff *skb, struct plan *plan, enum reason *reason)
{
	__u32 entry, ifindex;

	if (plan->flags & BLOCKED) {
		*reason = BLOCKED_TX;
		return 0;
	}
	entry = select_entry(skb, plan) & (ENTRIES - 1);
	ifindex = entry < plan->entries ? ifindex_of(plan, plan->table[entry].first) : 0;
	if (!ifindex) {
		*reason = NO_PORT;
		return 0;
	}
	count_entry(skb, entry);
	skb->cb[CB_COOKIE] = cookie;
	skb->cb[CB_ENTRY] = entry;
	skb->cb[CB_IFINDEX] = ifindex;
	skb->cb[CB_PRIORITY] = skb->priority;
	skb->cb[CB_MOVED] = 0;
	return ifindex;
}

/* entry: egress of the aggregate's device. The choice is made here, before the hop,
 * because the hop takes a VLAN tag out of the frame and the hash must see it. */
SEC("tc")
int yoke_entry(struct __sk_buff *skb)
{
	struct plan *plan = plan_in_force();
	enum reason reason = NO_PORT;
	__u32 ifindex;

	if (!plan)
		return drop(NO_PLAN);
	ifindex = steer(skb, plan, &reason);
	if (!ifindex)
		return drop(reason);
	if (plan->flags & FAST)
		return bpf_redirect(ifindex, 0);
	return TC_ACT_UNSPEC;
}

/* hop: ingress of the inner end. The frame has been counted by the device; the choice
 * is in the frame, unless entry was not run (another namespace, a bypassed or clobbering
 * qdisc). */
SEC("tc")
int yoke_hop(struct __sk_buff *skb)
{
	struct plan *plan;
	enum reason reason = NO_PORT;
	__u32 ifindex;

	if (skb->cb[CB_COOKIE] == cookie) {
		skb->priority = skb->cb[CB_PRIORITY];
		return bpf_redirect(skb->cb[CB_IFINDEX], 0);
	}
	plan = plan_in_force();
	if (!plan)
		return drop(NO_PLAN);
	ifindex = steer(skb, plan, &reason);
	return ifindex ? bpf_redirect(ifindex, 0) : drop(reason);
}

/* receives: what arrives on this port is for the aggregate. */
static __always_inline int receives(struct plan *plan)
{
	if (plan->flags & BLOCKED)
		return 0;
	return plan->ports[place].flags & RECEIVE || plan->opened[place];
}

/* rx: ingress of a port. */
SEC("tc")
int yoke_rx(struct __sk_buff *skb)
{
	struct plan *plan = plan_in_force();
	struct port_stats *stats = stats_of(place);
	__u32 to, how, receive;

	if (!plan || !stats || place >= PORTS)
		return drop(NO_PLAN);
	to = plan->flags & FAST ? plan->outer : plan->inner;
	how = plan->flags & FAST ? BPF_F_INGRESS : 0;
	receive = receives(plan);
	if (is_of_port(skb)) {
		if (receive)
			bpf_clone_redirect(skb, to, how);
		return TC_ACT_UNSPEC;
	}
	if (!receive) {
		stats->rx_dropped += 1;
		return drop(plan->flags & BLOCKED ? BLOCKED_RX : STANDBY);
	}
	stats->rx_frames += 1;
	stats->rx_bytes += skb->len;
	return bpf_redirect(to, how);
}

/* leave ends a frame's way through a port's egress. */
static __always_inline int leave(struct __sk_buff *skb, struct port_stats *stats)
{
	stats->tx_frames += 1;
	stats->tx_bytes += skb->len;
	skb->cb[CB_COOKIE] = 0;
	return TC_ACT_UNSPEC;
}

/* own treats what the port's own stack sends. */
static __always_inline int own(struct __sk_buff *skb, struct port_stats *stats)
{
	if (is_of_port(skb))
		return TC_ACT_UNSPEC;
	stats->own_dropped += 1;
	return drop(OWN);
}

/* second_of is the place of a frame's second choice, NOWHERE where there is none. */
static __always_inline __u32 second_of(struct __sk_buff *skb, struct plan *plan)
{
	__u32 entry = skb->cb[CB_ENTRY];

	return entry < ENTRIES ? plan->table[entry].second : NOWHERE;
}

/* set_open lets the second choice receive, or no more. It is written only where it
 * differs: all processors read it. */
static __always_inline void set_open(struct plan *plan, __u32 second, __u8 open)
{
	if (second < PORTS && plan->opened[second] != open)
		plan->opened[second] = open;
}

/* move sends a frame by its second choice, and answers on it from now on: until the port
 * works again or the next plan, peers will find the aggregate there. It returns 0 where
 * the frame has to go on as it is. */
static __always_inline int move(struct __sk_buff *skb, struct port_stats *stats, __u32 *away)
{
	struct plan *plan = plan_in_force();
	__u32 place_of_second, second;

	if (!plan || skb->cb[CB_MOVED])
		return 0;
	place_of_second = second_of(skb, plan);
	second = ifindex_of(plan, place_of_second);
	if (!second || second == skb->ifindex)
		return 0;
	set_open(plan, place_of_second, 1);
	skb->cb[CB_MOVED] = 1;
	if (!*away)
		*away = 1;
	stats->guard_moved += 1;
	return bpf_redirect(second, 0);
}

/* back ends what move began: the port works again. */
static __always_inline void back(struct __sk_buff *skb, __u32 *away)
{
	struct plan *plan = plan_in_force();

	*away = 0;
	if (plan)
		set_open(plan, second_of(skb, plan), 0);
}

/* guard: egress of a port, last. */
SEC("tc")
int yoke_guard(struct __sk_buff *skb)
{
	struct port_stats *stats = stats_of(place);
	__u32 *away = away_of(place);
	int moved;

	if (!stats || !away)
		return TC_ACT_UNSPEC;
	if (skb->cb[CB_COOKIE] != cookie)
		return own(skb, stats);
	if (port_works(skb)) {
		if (*away && !skb->cb[CB_MOVED])
			back(skb, away);
		return leave(skb, stats);
	}
	moved = move(skb, stats, away);
	return moved ? moved : leave(skb, stats);
}

/* guard_blind: the same for kernels that do not let a program see its device. */
SEC("tc")
int yoke_guard_blind(struct __sk_buff *skb)
{
	struct port_stats *stats = stats_of(place);

	if (!stats)
		return TC_ACT_UNSPEC;
	if (skb->cb[CB_COOKIE] != cookie)
		return own(skb, stats);
	return leave(skb, stats);
}

char _license[] SEC("license") = "Dual BSD/GPL";
