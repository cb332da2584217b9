// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
/* The data plane of one aggregate; ../doc.go has the drawing. */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>
#include "layout.h"
#include "maps.h"
#include "frame.h"
#include "kernel.h"
#include "select.h"
#include "apart.h"
#include "copies.h"
#include "moves.h"
#include "../../keepalive/bpf/unheard.h"

/* place_of is the place of the port that a way leads to, and whether a way is an entry
 * of the table, which has counters. */
static __always_inline __u32 place_of(struct plan *plan, __u64 way)
{
	if (way < ENTRIES)
		return way < plan->entries ? plan->table[way].first : NOWHERE;
	return way == SINGLE ? plan->table[SINGLE].first : way - BY_PORT;
}

/* steer chooses the frame's port, marks the frame and returns the port's ifindex, or
 * EVERYWHERE; 0 where it has to be dropped, with the reason. */
static __always_inline __u32 steer(struct __sk_buff *skb, struct plan *plan, enum reach reach, enum reason *reason)
{
	__u64 way;
	__u32 ifindex;

	if (plan->flags & BLOCKED) {
		*reason = BLOCKED_TX;
		return 0;
	}
	way = reach == WHOLE && plan->flags & APART ? apart(skb) : BY_TABLE;
	if (way == BY_TABLE)
		way = select_way(skb, plan, reach);
	if (reach == WHOLE && way == COPIES) {
		mark(skb, plan, COPIES, 0);
		return EVERYWHERE;
	}
	ifindex = ifindex_of(plan, place_of(plan, way));
	if (!ifindex && reach != FIXED)
		ifindex = ifindex_of_move(way);
	if (!ifindex) {
		*reason = NO_PORT;
		return 0;
	}
	count_entry(skb, way);
	mark(skb, plan, way, ifindex);
	return ifindex;
}

/* send hands a steered frame to its port, or to all. */
static __always_inline int send(struct __sk_buff *skb, __u32 ifindex, enum reach reach)
{
	return reach == WHOLE && ifindex == EVERYWHERE ? send_copies(skb) : bpf_redirect(ifindex, 0);
}

/* chosen_late: the frame was given a queue after entry, by a filter or a qdisc. */
static __always_inline int chosen_late(struct __sk_buff *skb)
{
	return skb->cb[CB_ENTRY] & QUEUES && skb->queue_mapping;
}

/* entry: egress of the aggregate's device. The choice is made here, before the hop,
 * because the hop takes a VLAN tag out of the frame and the hash must see it. */
static __always_inline int entry(struct __sk_buff *skb, enum reach reach)
{
	struct plan *plan = plan_in_force();
	enum reason reason = NO_PORT;
	__u32 ifindex;

	if (!plan)
		return drop(NO_PLAN);
	if (skb->cb[CB_COOKIE] == cookie) /* entry has just run, in another kind of attachment */
		return TC_ACT_UNSPEC;
	ifindex = steer(skb, plan, reach, &reason);
	if (!ifindex)
		return drop(reason);
	if (plan->flags & FAST)
		return send(skb, ifindex, reach);
	return TC_ACT_UNSPEC;
}

/* hop: ingress of the inner end. The frame has been counted by the device; the choice
 * is in the frame, unless entry was not run (another namespace, a bypassed or clobbering
 * qdisc). */
static __always_inline int hop(struct __sk_buff *skb, enum reach reach)
{
	struct plan *plan;
	enum reason reason = NO_PORT;
	__u32 ifindex;

	if (skb->cb[CB_COOKIE] == cookie) {
		skb->priority = skb->cb[CB_PRIORITY];
		if (!chosen_late(skb))
			return send(skb, skb->cb[CB_IFINDEX], reach);
	}
	plan = plan_in_force();
	if (!plan)
		return drop(NO_PLAN);
	ifindex = steer(skb, plan, reach, &reason);
	return ifindex ? send(skb, ifindex, reach) : drop(reason);
}

SEC("tc")
int yoke_entry_fixed(struct __sk_buff *skb)
{
	return entry(skb, FIXED);
}

SEC("tc")
int yoke_entry_common(struct __sk_buff *skb)
{
	return entry(skb, COMMON);
}

SEC("tc")
int yoke_entry_whole(struct __sk_buff *skb)
{
	return entry(skb, WHOLE);
}

SEC("tc")
int yoke_hop_fixed(struct __sk_buff *skb)
{
	return hop(skb, FIXED);
}

SEC("tc")
int yoke_hop_common(struct __sk_buff *skb)
{
	return hop(skb, COMMON);
}

SEC("tc")
int yoke_hop_whole(struct __sk_buff *skb)
{
	return hop(skb, WHOLE);
}

/* receives: what arrives on this port is for the aggregate. */
static __always_inline int receives(struct plan *plan)
{
	if (plan->flags & BLOCKED)
		return 0;
	return plan->ports[place].flags & RECEIVE || plan->opened[place];
}

/* receive hands a frame to the aggregate's device: past the pair, or by the inner end and
 * the processor's queue of received frames, or straight to the outer end, counted there,
 * which the kernel does only between namespaces. */
static __always_inline int receive(struct plan *plan)
{
	if (plan->flags & FAST)
		return bpf_redirect(plan->outer, BPF_F_INGRESS);
	return plan->flags & PEER ? bpf_redirect_peer(plan->inner, 0) : bpf_redirect(plan->inner, 0);
}

/* copy gives the aggregate's device a frame that goes on to the port's own sockets. */
static __always_inline void copy(struct __sk_buff *skb, struct plan *plan)
{
	if (plan->flags & FAST)
		bpf_clone_redirect(skb, plan->outer, BPF_F_INGRESS);
	else
		bpf_clone_redirect(skb, plan->inner, 0);
}

/* rx: ingress of a port. */
SEC("tc")
int yoke_rx(struct __sk_buff *skb)
{
	struct plan *plan = plan_in_force();
	struct port_stats *stats = stats_of(place);
	int ours;

	if (!plan || !stats || place >= PORTS)
		return drop(NO_PLAN);
	ours = receives(plan);
	if (is_of_port(skb)) {
		if (ours)
			copy(skb, plan);
		return TC_ACT_UNSPEC;
	}
	if (!ours) {
		stats->rx_dropped += 1;
		return drop(plan->flags & BLOCKED ? BLOCKED_RX : STANDBY);
	}
	stats->rx_frames += 1;
	stats->rx_bytes += skb->len;
	return receive(plan);
}

/* rewrite puts the port's own source address into a frame. */
__noinline int rewrite(struct __sk_buff *skb)
{
	struct plan *plan = plan_in_force();
	__u32 port = place;
	__u8 *mac;

	if (!plan || port >= PORTS)
		return 0;
	mac = plan->ports[port].source_mac;
	if (mac[0] | mac[1] | mac[2] | mac[3] | mac[4] | mac[5])
		bpf_skb_store_bytes(skb, ETH_ALEN, mac, ETH_ALEN, 0);
	return 0;
}

/* LEFT is the mark of frames that a guard let pass. Where a guard is being moved to another
 * kind of attachment, both see the frame. */
#define LEFT (~cookie)

/* leave ends a frame's way through a port's egress. */
static __always_inline int leave(struct __sk_buff *skb, struct port_stats *stats)
{
	if (skb->cb[CB_ENTRY] & REWRITE)
		rewrite(skb);
	stats->tx_frames += 1;
	stats->tx_bytes += skb->len;
	skb->cb[CB_COOKIE] = LEFT;
	return TC_ACT_UNSPEC;
}

/* own treats what the port's own stack sends. */
static __always_inline int own(struct __sk_buff *skb, struct port_stats *stats)
{
	if (skb->cb[CB_COOKIE] == LEFT || is_of_port(skb))
		return TC_ACT_UNSPEC;
	stats->own_dropped += 1;
	return drop(OWN);
}

/* second_of is the place of a frame's second choice, NOWHERE where there is none. That of an
 * entry that has moved is where it comes from. */
static __always_inline __u32 second_of(struct __sk_buff *skb, struct plan *plan)
{
	__u64 way = skb->cb[CB_ENTRY] & WAYS;
	struct choice c;

	if (way > SINGLE)
		return NOWHERE;
	c = plan->table[way];
	return moves(c) && c.second == place ? c.first - MOVES : c.second;
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
	skb->cb[CB_IFINDEX] = second;
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

/* unheard: nobody listens on the port, as what speaks LACP for a dead daemon has found. */
static __always_inline int unheard(struct __sk_buff *skb)
{
	return skb->cb[CB_UNHEARD] == UNHEARD;
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
	if (port_works(skb) && !unheard(skb)) {
		if (*away && !skb->cb[CB_MOVED])
			back(skb, away);
		return leave(skb, stats);
	}
	moved = move(skb, stats, away);
	if (moved)
		return moved;
	return unheard(skb) ? drop(NO_PORT) : leave(skb, stats);
}

/* guard_blind: the same for kernels that do not let a program see its device. */
SEC("tc")
int yoke_guard_blind(struct __sk_buff *skb)
{
	struct port_stats *stats = stats_of(place);
	__u32 *away = away_of(place);
	int moved;

	if (!stats || !away)
		return TC_ACT_UNSPEC;
	if (skb->cb[CB_COOKIE] != cookie)
		return own(skb, stats);
	if (!unheard(skb))
		return leave(skb, stats);
	moved = move(skb, stats, away);
	return moved ? moved : drop(NO_PORT);
}

char _license[] SEC("license") = "Dual BSD/GPL";
