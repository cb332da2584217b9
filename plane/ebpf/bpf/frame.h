/* SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause) */
/* Frames that belong to a port itself and not only to the aggregate. */
#pragma once

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <bpf/bpf_endian.h>

#define TYPE_LLDP 0x88cc
#define TYPE_EAPOL 0x888e
#define TYPE_PTP 0x88f7

static __always_inline int is_of_port_type(__u32 type)
{
	return type == bpf_htons(TYPE_LLDP) || type == bpf_htons(TYPE_EAPOL) ||
	       type == bpf_htons(TYPE_PTP);
}

/* is_of_port: slow protocols and their neighbours (01:80:c2:00:00:00 to 0f), LLDP,
 * EAPOL, PTP, without a VLAN tag. */
static __always_inline int is_of_port(struct __sk_buff *skb)
{
	void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
	struct ethhdr *eth = data;

	if (skb->vlan_present || data + sizeof(*eth) > end)
		return 0;
	if (is_of_port_type(eth->h_proto))
		return 1;
	return eth->h_dest[0] == 0x01 && eth->h_dest[1] == 0x80 && eth->h_dest[2] == 0xc2 &&
	       eth->h_dest[3] == 0 && eth->h_dest[4] == 0 && eth->h_dest[5] < 16;
}
