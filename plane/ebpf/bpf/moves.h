/* SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause) */
/* Entries on their way from one port to another. */
#pragma once

#include "select.h"

static __always_inline int moves(struct choice c)
{
	return c.first >= MOVES && c.first != NOWHERE;
}

/* has_moved decides for a frame, one at a time over all processors, so that all agree: the
 * first that comes after a pause moves the entry. While the daemon has not said when the entry
 * was used before, a frame is taken for one of many. */
static __always_inline int has_moved(struct move *m, struct choice c, __u64 before)
{
	__u64 now = bpf_ktime_get_ns(), last;
	__u32 moved;

	bpf_spin_lock(&m->lock);
	last = m->last_used > before ? m->last_used : before;
	if (last && now > last && now - last >= pause_ns)
		m->moved = MOVED(c);
	m->last_used = now;
	moved = m->moved;
	bpf_spin_unlock(&m->lock);
	return moved == MOVED(c);
}

/* place_of_move is the place by which a frame of an entry leaves that moves by the plan. */
static __always_inline __u32 place_of_move(struct plan *plan, __u32 entry)
{
	struct choice c = plan->table[entry & (ENTRIES - 1)];
	struct move *m = bpf_map_lookup_elem(&yoke_moves, &entry);
	__u64 *before = bpf_map_lookup_elem(&yoke_idle, &entry);

	if (!moves(c))
		return c.first; /* another plan is in force since the caller looked */
	return m && before && has_moved(m, c, *before) ? c.second : c.first - MOVES;
}

/* ifindex_of_move is the ifindex for a frame of an entry that moves, 0 where there is none. It
 * is a function of its own, so that entries that do not move pay for no more than a call. */
__noinline __u64 ifindex_of_move(__u64 way)
{
	struct plan *plan = plan_in_force();

	if (!plan || way >= ENTRIES || way >= plan->entries)
		return 0;
	return ifindex_of(plan, place_of_move(plan, way));
}
