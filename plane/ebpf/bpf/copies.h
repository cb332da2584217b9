/* SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause) */
/* Frames of which a copy leaves by each port. */
#pragma once

#include "select.h"

/* copy_port is the ifindex of the port that gets copy i, 0 where there is none, and its
 * entry: those of the table in mode broadcast, else the ports that transmit. */
static __always_inline __u32 copy_port(struct plan *plan, __u64 i, __u32 *way)
{
	if (plan->select == SELECT_BROADCAST) {
		*way = i;
		return i < plan->entries ? ifindex_of(plan, plan->table[i].first) : 0;
	}
	*way = BY_PORT + i;
	return plan->ports[i].flags & TRANSMIT ? plan->ports[i].ifindex : 0;
}

/* next_copy sends a clone to the port that waits for it, where there is a port for copy i,
 * which waits then. It is a function of its own, so that the kernel checks it once and
 * not for each turn of the loop. */
__noinline __u64 next_copy(struct __sk_buff *skb, __u64 i, __u32 waiting)
{
	struct plan *plan = plan_in_force();
	__u32 ifindex, way;

	if (!plan || i >= PORTS)
		return waiting;
	ifindex = copy_port(plan, i, &way);
	if (!ifindex)
		return waiting;
	if (waiting)
		bpf_clone_redirect(skb, waiting, 0);
	count_entry(skb, way);
	mark(skb, plan, way, ifindex);
	return ifindex;
}

/* send_copies gives clones to all ports but the last, which gets the frame itself. */
static __always_inline int send_copies(struct __sk_buff *skb)
{
	struct plan *plan = plan_in_force();
	__u32 i, count = PORTS, waiting = 0;

	if (plan && plan->select == SELECT_BROADCAST)
		count = plan->entries;
	for (i = 0; i < PORTS && i < count; i++)
		waiting = next_copy(skb, i, waiting);
	return waiting ? bpf_redirect(waiting, 0) : drop(NO_PORT);
}
