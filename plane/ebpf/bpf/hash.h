/* SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause) */
/*
 * The transmit hashes layer2 and layer3+4, equal to the bonding driver's frame for
 * frame. Loads of addresses and ports are in the host's byte order, as there.
 */
#pragma once

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>

#define HASH_LAYER2 0
#define HASH_LAYER34 1
#define MAX_OFFSET 1024

#define IP4_HEADER 20
#define IP6_HEADER 40
#define ICMP_HEADER 8
#define PROTO_NONE 256 /* a fragment: the protocol is not looked at */
#define PROTO_ICMP 1
#define PROTO_ICMP6 58

/* What the hash is made of. */
struct flow {
	__u32 addresses; /* source xor destination, folded to 32 bits */
	__u32 ports;
	__u32 icmp; /* type, code, identifier as bytes in memory; 0 without identifier */
};

/* linear is where bytes of the frame lie in memory, 0 where not all do. */
static __always_inline void *linear(struct __sk_buff *skb, __u32 offset, __u32 size)
{
	void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;

	return offset <= MAX_OFFSET && data + offset + size <= end ? data + offset : 0;
}

static __always_inline long load_slowly(struct __sk_buff *skb, __u32 offset, void *to, __u32 size)
{
	return offset > MAX_OFFSET ? -1 : bpf_skb_load_bytes(skb, offset, to, size);
}

/* load copies bytes from behind the Ethernet header, also from outside the linear part. The
 * kernel puts that where words can be read at once, and the compiler does where it knows
 * that, of both sides: or it reads single bytes. */
static __always_inline long load(struct __sk_buff *skb, __u32 offset, void *to, __u32 size)
{
	void *from = linear(skb, offset, size);

	if (!from)
		return load_slowly(skb, offset, to, size);
	__builtin_memcpy(to, __builtin_assume_aligned(from, 4), size);
	return 0;
}

/* load_ethernet is the same for the Ethernet header itself, of half words. */
static __always_inline long load_ethernet(struct __sk_buff *skb, __u32 offset, void *to, __u32 size)
{
	void *from = linear(skb, offset, size);

	if (!from)
		return load_slowly(skb, offset, to, size);
	__builtin_memcpy(to, __builtin_assume_aligned(from, 2), size);
	return 0;
}

#define WORDS __attribute__((aligned(4)))

static __always_inline __u32 hash_layer2(struct __sk_buff *skb)
{
	struct ethhdr eth WORDS;

	if (load_ethernet(skb, 0, &eth, sizeof(eth)))
		return 0;
	return eth.h_dest[5] ^ eth.h_source[5] ^ bpf_ntohs(eth.h_proto);
}

/* ports_offset is where four bytes of ports or SPI are, or -1. */
static __always_inline int ports_offset(__u32 proto)
{
	switch (proto) {
	case 6:   /* TCP */
	case 17:  /* UDP */
	case 33:  /* DCCP */
	case 50:  /* ESP */
	case 132: /* SCTP */
	case 136: /* UDP-Lite */
		return 0;
	case 51: /* AH */
		return 4;
	default:
		return -1;
	}
}

static __always_inline void add_ports(struct __sk_buff *skb, __u32 at, __u32 proto, struct flow *f)
{
	int more = ports_offset(proto);
	__u32 ports;

	f->ports = 0;
	if (more >= 0 && !load(skb, at + more, &ports, sizeof(ports)))
		f->ports = ports;
}

/* ip4 reads one IPv4 header and returns the offset behind it, 0 where it is cut off. */
static __always_inline __u32 ip4(struct __sk_buff *skb, __u32 at, struct flow *f, __u32 *proto)
{
	__u32 h[5];

	if (load(skb, at, h, IP4_HEADER))
		return 0;
	f->addresses = h[3] ^ h[4];
	at += (((__u8 *)h)[0] & 15) * 4;
	if (((__u16 *)h)[3] & bpf_htons(0x3fff)) { /* more fragments, or an offset */
		f->ports = 0;
		return at;
	}
	*proto = ((__u8 *)h)[9];
	add_ports(skb, at, *proto, f);
	return at;
}

/* ip6 does the same for IPv6, of which only the fixed header counts. */
static __always_inline __u32 ip6(struct __sk_buff *skb, __u32 at, struct flow *f, __u32 *proto)
{
	__u32 h[10];

	if (load(skb, at, h, IP6_HEADER))
		return 0;
	f->addresses = h[2] ^ h[3] ^ h[4] ^ h[5] ^ h[6] ^ h[7] ^ h[8] ^ h[9];
	at += IP6_HEADER;
	*proto = ((__u8 *)h)[6];
	add_ports(skb, at, *proto, f);
	return at;
}

static __always_inline __u32 network(struct __sk_buff *skb, __u32 at, __u16 type, struct flow *f,
				     __u32 *proto)
{
	if (type == bpf_htons(ETH_P_IP))
		return ip4(skb, at, f, proto);
	if (type == bpf_htons(ETH_P_IPV6))
		return ip6(skb, at, f, proto);
	return 0;
}

static __always_inline int icmp_has_id(__u8 type)
{
	return type == 0 || type == 8 || type == 13 || type == 14 || type == 128 || type == 129;
}

static __always_inline int icmp_is_error(__u32 proto, __u8 type)
{
	if (proto == PROTO_ICMP6)
		return type >= 1 && type <= 4;
	return type == 3 || type == 4 || type == 5 || type == 11 || type == 12;
}

/* icmp adds the identifier; an error is taken for the packet it carries, of which the
 * headers begin behind the error's own. It returns 0 where that packet is cut off. */
static __always_inline int icmp(struct __sk_buff *skb, __u32 at, __u16 type, struct flow *f,
				__u32 proto)
{
	__u8 h[ICMP_HEADER] WORDS = {};
	union {
		__u8 byte[4];
		__u16 half[2];
		__u32 word;
	} key = {};

	if (load(skb, at, h, ICMP_HEADER))
		return 1;
	if (icmp_is_error(proto, h[0]))
		return network(skb, at + ICMP_HEADER, type, f, &proto) != 0;
	if (!icmp_has_id(h[0]))
		return 1;
	key.byte[0] = h[0];
	key.byte[1] = h[1];
	key.half[1] = (__u16)h[4] << 8 | h[5];
	if (!key.half[1])
		key.half[1] = 1;
	f->icmp = key.word;
	return 1;
}

/* keys reads the addresses and the layer 4 key of a frame; 0 for what is not IP. */
static __always_inline int keys(struct __sk_buff *skb, struct flow *f)
{
	__u32 proto = PROTO_NONE, at;
	__u16 type;

	if (load_ethernet(skb, 12, &type, sizeof(type)))
		return 0;
	at = network(skb, ETH_HLEN, type, f, &proto);
	if (!at)
		return 0;
	if (proto == PROTO_ICMP || proto == PROTO_ICMP6)
		return icmp(skb, at, type, f, proto);
	return 1;
}

static __always_inline __u32 mix(__u32 h, __u32 addresses)
{
	h ^= addresses;
	h ^= h >> 16;
	return h ^ h >> 8;
}

static __always_inline __u32 hash_layer34(struct __sk_buff *skb)
{
	struct flow f = {};

	if (!keys(skb, &f))
		return hash_layer2(skb);
	return mix(f.icmp ? f.icmp : f.ports, f.addresses) >> 1;
}
