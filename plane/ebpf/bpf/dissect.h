/* SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause) */
/*
 * The keys of a frame's innermost headers: through VLAN tags, PPPoE, HSR, IP in IP, GRE
 * and the extension headers of IPv6, as far as the kernel's own dissector goes.
 */
#pragma once

#include "hash.h"

#define STEPS 16 /* headers that are followed, the first included */

enum found {
	FURTHER, /* there is a next header */
	KNOWN,   /* the keys are complete */
	LOST,    /* cut off, or nothing that is known */
};

struct dissection {
	struct flow flow; /* icmp is not used: ports has whichever counts */
	__u32 at;         /* where the next header begins */
	__u32 proto;      /* its protocol within IP, or PROTO_NONE */
	__u32 type;       /* its Ethernet type, where proto is PROTO_NONE */
	__u32 v6;         /* which IP the protocol is of */
};

/* bytes_at copies bytes from anywhere in the frame. */
static __always_inline long bytes_at(struct __sk_buff *skb, __u32 at, void *to, __u32 size)
{
	return bpf_skb_load_bytes(skb, at, to, size);
}

/* behind_tag passes a tag of n bytes with the next type in its last two. */
static __always_inline enum found behind_tag(struct __sk_buff *skb, struct dissection *d, __u32 n)
{
	__be16 type;

	if (bytes_at(skb, d->at + n - 2, &type, sizeof(type)))
		return LOST;
	d->at += n;
	d->type = bpf_ntohs(type);
	return FURTHER;
}

static __always_inline enum found behind_pppoe(struct __sk_buff *skb, struct dissection *d)
{
	__u8 h[8];
	__u32 proto;

	if (bytes_at(skb, d->at, h, sizeof(h)) || h[0] != 0x11 || h[1])
		return LOST;
	d->at += sizeof(h);
	proto = h[6] << 8 | h[7];
	if (proto & 0x0100) { /* one byte, compressed */
		proto >>= 8;
		d->at -= 1;
	}
	switch (proto) {
	case 0x0021:
		d->type = 0x0800;
		return FURTHER;
	case 0x0057:
		d->type = 0x86dd;
		return FURTHER;
	default:
		return (proto & 0x0101) == 1 ? KNOWN : LOST;
	}
}

static __always_inline enum found behind_ip4(struct __sk_buff *skb, struct dissection *d)
{
	__u32 h[5];
	__u8 *b = (__u8 *)h;

	if (bytes_at(skb, d->at, h, sizeof(h)) || (b[0] & 0xf) < 5)
		return LOST;
	d->at += (b[0] & 0xf) * 4;
	d->flow.addresses = h[3] ^ h[4];
	d->proto = b[9];
	d->v6 = 0;
	return b[6] & 0x3f || b[7] ? KNOWN : FURTHER; /* a fragment has no ports */
}

static __always_inline enum found behind_ip6(struct __sk_buff *skb, struct dissection *d)
{
	__u32 h[10];

	if (bytes_at(skb, d->at, h, sizeof(h)))
		return LOST;
	d->at += IP6_HEADER;
	d->flow.addresses = h[2] ^ h[3] ^ h[4] ^ h[5] ^ h[6] ^ h[7] ^ h[8] ^ h[9];
	d->proto = ((__u8 *)h)[6];
	d->v6 = 1;
	return FURTHER;
}

static __always_inline enum found behind_type(struct __sk_buff *skb, struct dissection *d)
{
	switch (d->type) {
	case 0x0800:
		return behind_ip4(skb, d);
	case 0x86dd:
		return behind_ip6(skb, d);
	case 0x8100: /* tags */
	case 0x88a8:
		return behind_tag(skb, d, 4);
	case 0x892f: /* HSR, PRP */
	case 0x88fb:
		return behind_tag(skb, d, 6);
	case 0x8864:
		return behind_pppoe(skb, d);
	case 0x8847: /* MPLS, ARP, RARP: known to have no addresses */
	case 0x8848:
	case 0x0806:
	case 0x8035:
		return KNOWN;
	default:
		return LOST;
	}
}

static __always_inline enum found inner(struct dissection *d, __u32 type)
{
	d->type = type;
	d->proto = PROTO_NONE;
	return FURTHER;
}

static __always_inline enum found behind_extension(struct __sk_buff *skb, struct dissection *d)
{
	__u8 h[2];

	if (bytes_at(skb, d->at, h, sizeof(h)))
		return LOST;
	d->proto = h[0];
	d->at += (h[1] + 1) * 8;
	return FURTHER;
}

/* behind_gre looks only into version 0 without routing. */
static __always_inline enum found behind_gre(struct __sk_buff *skb, struct dissection *d)
{
	__be16 h[2];
	__u32 flags, type;

	if (bytes_at(skb, d->at, h, sizeof(h)))
		return LOST;
	flags = bpf_ntohs(h[0]);
	type = bpf_ntohs(h[1]);
	if (flags & 0x4007)
		return KNOWN;
	d->at += 4;
	d->at += (flags >> 13 & 4) + (flags >> 11 & 4) + (flags >> 10 & 4); /* checksum, key, sequence */
	inner(d, type);
	return type == 0x6558 ? behind_tag(skb, d, ETH_HLEN) : FURTHER; /* a whole frame */
}

/* layer4 reads what ends every dissection. */
static __always_inline enum found layer4(struct __sk_buff *skb, struct dissection *d)
{
	int more = ports_offset(d->proto);
	__u8 h[ICMP_HEADER];
	union {
		__u8 byte[4];
		__u16 half[2];
		__u32 word;
	} key = {};

	if (more >= 0 && bytes_at(skb, d->at + more, &key.word, sizeof(key.word)))
		key.word = 0;
	if ((d->proto == PROTO_ICMP || d->proto == PROTO_ICMP6) && !bytes_at(skb, d->at, h, sizeof(h)) &&
	    icmp_has_id(h[0])) {
		key.byte[0] = h[0];
		key.byte[1] = h[1];
		key.half[1] = (__u16)h[4] << 8 | h[5];
		if (!key.half[1])
			key.half[1] = 1;
	}
	d->flow.ports = key.word;
	return KNOWN;
}

static __always_inline enum found behind_proto(struct __sk_buff *skb, struct dissection *d)
{
	__u8 fragment[8];

	switch (d->proto) {
	case 0: /* hop by hop, routing, destination options */
	case 43:
	case 60:
		return d->v6 ? behind_extension(skb, d) : layer4(skb, d);
	case 44:
		if (!d->v6)
			return layer4(skb, d);
		return bytes_at(skb, d->at, fragment, sizeof(fragment)) ? LOST : KNOWN;
	case 47:
		return behind_gre(skb, d);
	case 4:
		return inner(d, 0x0800);
	case 41:
		return inner(d, 0x86dd);
	case 137: /* MPLS */
		return KNOWN;
	default:
		return layer4(skb, d);
	}
}

/* next_header is a function of its own, so that the kernel checks it once and not for
 * each turn of the loop. */
__noinline int next_header(struct __sk_buff *skb, struct dissection *d)
{
	if (!d)
		return LOST;
	return d->proto == PROTO_NONE ? behind_type(skb, d) : behind_proto(skb, d);
}

/* dissect fills in addresses and ports; 0 where it has to give up. */
static __always_inline int dissect(struct __sk_buff *skb, struct flow *f)
{
	struct dissection d = {.at = ETH_HLEN, .proto = PROTO_NONE};
	int i, found = FURTHER;
	__be16 type;

	if (bytes_at(skb, 12, &type, sizeof(type)))
		return 0;
	d.type = bpf_ntohs(type);
	for (i = 0; i < STEPS && found == FURTHER; i++)
		found = next_header(skb, &d);
	*f = d.flow;
	return found != LOST;
}
