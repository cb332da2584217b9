/* SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause) */
/* teamd's transmit hash: the exclusive or of the fields that are asked for. */
#pragma once

#include "hash.h"

#define FIELD_ETH 1
#define FIELD_VLAN 2
#define FIELD_IP4 4
#define FIELD_IP6 8
#define FIELD_TCP 16
#define FIELD_UDP 32
#define FIELD_SCTP 64
#define FIELDS_L4 (FIELD_TCP | FIELD_UDP | FIELD_SCTP)
#define HASH_FIELDS 128

#define TYPE_VLAN 0x8100

static __always_inline __u32 field_of(__u8 proto)
{
	return proto == 6 ? FIELD_TCP : proto == 17 ? FIELD_UDP : proto == 132 ? FIELD_SCTP : 0;
}

/* add_l4 adds both ports. As all functions here it is negative where the frame ends. */
static __always_inline int add_l4(struct __sk_buff *skb, __u32 at, __u8 proto, __u32 want, __u32 *h)
{
	__be16 ports[2] WORDS;

	if (!(want & field_of(proto)))
		return 0;
	if (load(skb, at, ports, sizeof(ports)))
		return -1;
	*h ^= bpf_ntohs(ports[0] ^ ports[1]);
	return 0;
}

static __always_inline int add_ip4(struct __sk_buff *skb, __u32 at, __u32 want, __u32 *h)
{
	__be32 w[5];
	__u8 *b = (__u8 *)w;

	if (!(want & (FIELD_IP4 | FIELDS_L4)))
		return 0;
	if (load(skb, at, w, sizeof(w)))
		return -1;
	if (want & FIELD_IP4)
		*h ^= bpf_ntohl(w[3] ^ w[4]);
	if (b[6] & 0x1f || b[7]) /* not the first fragment */
		return 0;
	return add_l4(skb, at + (b[0] & 0xf) * 4, b[9], want, h);
}

static __always_inline int add_ip6(struct __sk_buff *skb, __u32 at, __u32 want, __u32 *h)
{
	__be32 w[10];

	if (!(want & (FIELD_IP6 | FIELDS_L4)))
		return 0;
	if (load(skb, at, w, sizeof(w)))
		return -1;
	if (want & FIELD_IP6)
		*h ^= bpf_ntohl(w[2] ^ w[3] ^ w[4] ^ w[5] ^ w[6] ^ w[7] ^ w[8] ^ w[9]);
	return add_l4(skb, at + IP6_HEADER, ((__u8 *)w)[6], want, h);
}

static __always_inline __u32 hash_fields(struct __sk_buff *skb, __u32 want)
{
	__be16 e[7], tag[2] WORDS;
	__u32 h = 0, at = ETH_HLEN;
	__be16 type;
	int cut = 0;

	if (load_ethernet(skb, 0, e, sizeof(e)))
		return 0;
	if (want & FIELD_ETH)
		h = (__u32)bpf_ntohs(e[1] ^ e[4]) << 16 ^ bpf_ntohs(e[2] ^ e[5]) ^ bpf_ntohs(e[0] ^ e[3]);
	type = e[6];
	if (type == bpf_htons(TYPE_VLAN)) {
		if (load(skb, at, tag, sizeof(tag)))
			return 0;
		if (want & FIELD_VLAN)
			h ^= bpf_ntohs(tag[0]) & 0xfff;
		type = tag[1];
		at += sizeof(tag);
	} else if (skb->vlan_present && want & FIELD_VLAN) {
		h ^= skb->vlan_tci & 0xffff;
	}
	if (type == bpf_htons(ETH_P_IP))
		cut = add_ip4(skb, at, want, &h);
	else if (type == bpf_htons(ETH_P_IPV6))
		cut = add_ip6(skb, at, want, &h);
	if (cut)
		return 0;
	h ^= h >> 16;
	return (h ^ h >> 8) & 0xff;
}
