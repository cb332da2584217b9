/* SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause) */
/* Frames that are not for the table: those of some classes, and those of a queue. */
#pragma once

#include "select.h"

/* agg.FrameClass */
#define CLASS_SLOW 1
#define CLASS_ARP 2
#define CLASS_NEIGHBOR 8
#define CLASS_IGMP 16
#define CLASS_GROUP 32
#define CLASS_NOT_IP 64

#define TYPE_SLOW 0x8809
#define PROTO_IGMP 2

/* classes_of is what policy.ClassesOf says of the frame. */
static __always_inline __u32 classes_of(struct __sk_buff *skb)
{
	struct ethhdr eth WORDS;
	__u8 ip[IP6_HEADER + 1] WORDS;
	__u32 group;

	if (load_ethernet(skb, 0, &eth, sizeof(eth)))
		return 0;
	group = eth.h_dest[0] & 1 ? CLASS_GROUP : 0;
	switch (bpf_ntohs(eth.h_proto)) {
	case ETH_P_IP:
		return !load(skb, ETH_HLEN, ip, IP4_HEADER) && ip[9] == PROTO_IGMP ? group | CLASS_IGMP : group;
	case ETH_P_IPV6:
		if (load(skb, ETH_HLEN, ip, sizeof(ip)) || ip[6] != PROTO_ICMP6)
			return group;
		return ip[IP6_HEADER] == 135 || ip[IP6_HEADER] == 136 ? group | CLASS_NEIGHBOR : group;
	case ETH_P_ARP:
		return group | CLASS_NOT_IP | CLASS_ARP | CLASS_NEIGHBOR;
	case TYPE_SLOW:
		return group | CLASS_NOT_IP | CLASS_SLOW;
	default:
		return group | CLASS_NOT_IP;
	}
}

/* port_of_queue is the way to the usable port that has the queue, or BY_TABLE. */
static __always_inline __u64 port_of_queue(struct plan *plan, __u32 queue)
{
	__u32 i;

	for (i = 0; i < PORTS; i++)
		if (plan->ports[i].queue == queue)
			break;
	if (i >= PORTS || !plan->ports[i].ifindex || plan->ports[i].order < 0)
		return BY_TABLE;
	return BY_PORT + i;
}

/* apart is the way of a frame that the table does not place, or BY_TABLE. */
__noinline __u64 apart(struct __sk_buff *skb)
{
	struct plan *plan = plan_in_force();
	__u64 way = BY_TABLE;
	__u32 classes;

	if (!plan)
		return BY_TABLE;
	if (plan->flags & QUEUES && skb->queue_mapping)
		way = port_of_queue(plan, skb->queue_mapping);
	if (way != BY_TABLE || !(plan->copied | plan->unbalanced))
		return way;
	classes = classes_of(skb);
	if (classes & plan->copied)
		return COPIES;
	return classes & plan->unbalanced ? SINGLE : BY_TABLE;
}
