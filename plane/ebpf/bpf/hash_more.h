/* SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause) */
/*
 * The transmit hashes beside layer2 and layer3+4. They are a function of their own, so
 * that programs stay small where the two common ones are inlined.
 */
#pragma once

#include "hash.h"
#include "dissect.h"
#include "fields.h"

#define HASH_LAYER23 2
#define HASH_ENCAP23 3
#define HASH_ENCAP34 4
#define HASH_VLAN_SRCMAC 5

static __always_inline __u32 hash_layer23(struct __sk_buff *skb)
{
	struct flow f = {};
	__u32 h = hash_layer2(skb);

	return keys(skb, &f) ? mix(h, f.addresses) : h;
}

static __always_inline __u32 hash_encap(struct __sk_buff *skb, int deep)
{
	struct flow f = {};
	__u32 h = hash_layer2(skb);

	if (!dissect(skb, &f))
		return h;
	if (deep)
		return mix(f.ports, f.addresses) >> 1;
	return mix(h, f.addresses);
}

/* hash_vlan_srcmac counts the tag beside the frame only. */
static __always_inline __u32 hash_vlan_srcmac(struct __sk_buff *skb)
{
	__u32 tci = skb->vlan_present ? skb->vlan_tci & 0xffff : 0;
	__u8 m[6] WORDS;

	if (load_ethernet(skb, 6, m, sizeof(m)))
		return 0;
	return tci ^ (m[0] << 16 | m[1] << 8 | m[2]) ^ (m[3] << 16 | m[4] << 8 | m[5]);
}

__noinline __u32 hash_more(struct __sk_buff *skb, __u32 policy)
{
	if (policy & HASH_FIELDS)
		return hash_fields(skb, policy);
	switch (policy) {
	case HASH_LAYER23:
		return hash_layer23(skb);
	case HASH_ENCAP23:
		return hash_encap(skb, 0);
	case HASH_ENCAP34:
		return hash_encap(skb, 1);
	case HASH_VLAN_SRCMAC:
		return hash_vlan_srcmac(skb);
	default:
		return 0;
	}
}
