/* SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause) */
/*
 * The little that the guard needs to know of the kernel's own structures. Offsets are
 * relocated at load time, so only names and types matter here.
 */
#pragma once

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#define STATE_START 0
#define STATE_PRESENT 1
#define STATE_NOCARRIER 2

struct net_device {
	unsigned long state;
} __attribute__((preserve_access_index));

struct sk_buff {
	struct net_device *dev;
} __attribute__((preserve_access_index));

extern void *bpf_rdonly_cast(const void *of, __u32 type) __ksym;

/* port_works: the frame's device is up, present and has carrier. The kernel hands the frame
 * itself to a program and calls it a context; bpf_cast_to_kern_ctx would say the same, but
 * for each use of it the kernel searches all its types by name, 3 ms when a guard is loaded. */
static __always_inline int port_works(struct __sk_buff *ctx)
{
	struct sk_buff *skb = bpf_rdonly_cast(ctx, bpf_core_type_id_kernel(struct sk_buff));
	unsigned long mask = 1UL << STATE_START | 1UL << STATE_PRESENT | 1UL << STATE_NOCARRIER;
	unsigned long works = 1UL << STATE_START | 1UL << STATE_PRESENT;

	return (skb->dev->state & mask) == works;
}
