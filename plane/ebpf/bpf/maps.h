/* SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause) */
/* The maps of one aggregate, all pinned, and the constants of one program instance. */
#pragma once

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "layout.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} yoke_layout SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SLOTS);
	__type(key, __u32);
	__type(value, struct plan);
} yoke_plans SEC(".maps");

/* The slot in force. Only its lowest byte ever changes, so a flip is atomic. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} yoke_current SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, PORTS);
	__type(key, __u32);
	__type(value, struct port_stats);
} yoke_ports SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, ENTRIES);
	__type(key, __u32);
	__type(value, struct entry_stats);
} yoke_entries SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, REASONS);
	__type(key, enum reason);
	__type(value, __u64);
} yoke_drops SEC(".maps");

/* How many frames this processor has sent by turns. One counter for all would cost five
 * times as much. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} yoke_turn SEC(".maps");

/* Of entries that move. Cleared when an entry begins to. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, ENTRIES);
	__type(key, __u32);
	__type(value, struct move);
} yoke_moves SEC(".maps");

/* When entries that move were used last before the plan that moves them was in force, 0 while
 * the daemon has not yet looked; CLOCK_MONOTONIC_COARSE, ns. Written by the daemon only. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, ENTRIES);
	__type(key, __u32);
	__type(value, __u64);
} yoke_idle SEC(".maps");

/* Ports whose frames are moved to another: 1. Written only where it changes. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, PORTS);
	__type(key, __u32);
	__type(value, __u32);
} yoke_away SEC(".maps");

/* Written and read by the daemon only. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, PORTS);
	__type(key, __u32);
	__type(value, struct taken);
} yoke_taken SEC(".maps");

/* Set before loading: the mark of this aggregate's frames, and the port's place. */
volatile const __u32 cookie;
volatile const __u32 place;
volatile const __u32 pause_ns; /* agg.Pause */

static __always_inline struct plan *plan_in_force(void)
{
	__u32 zero = 0;
	__u32 *slot = bpf_map_lookup_elem(&yoke_current, &zero);

	return slot ? bpf_map_lookup_elem(&yoke_plans, slot) : 0;
}

static __always_inline struct port_stats *stats_of(__u32 port)
{
	return bpf_map_lookup_elem(&yoke_ports, &port);
}

static __always_inline __u32 *away_of(__u32 port)
{
	return bpf_map_lookup_elem(&yoke_away, &port);
}

static __always_inline int drop(enum reason reason)
{
	__u64 *n = bpf_map_lookup_elem(&yoke_drops, &reason);

	if (n)
		*n += 1;
	return TC_ACT_SHOT;
}
