// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
/* What is said on a port while the daemon is silent; ../doc.go tells the rules. */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include "../../ebpf/bpf/frame.h"
#include "unheard.h"

#define TYPE_SLOW 0x8809
#define SUBTYPE_LACP 1
#define INFO_LEN 20
#define COLLECTOR_LEN 16
#define PRIORITY_CONTROL 7
#define PORTS 64
#define FRAME 124 /* of version 1, without FCS */
#define IDS 14    /* the five numbers of one end */

/* Bits of a state. */
#define TIMEOUT 0x02
#define DISTRIBUTING 0x20

#define SECOND 1000000000ULL
#define SHORT_TIMEOUT (3 * SECOND)
#define LONG_TIMEOUT (90 * SECOND)

/* The part of a LACPDU's frame that is looked at. */
struct pdu {
	__u8 dst[6];
	__u8 src[6];
	__be16 type;
	__u8 subtype;
	__u8 version;
	__u8 actor_type;
	__u8 actor_len;
	__u8 actor[IDS];
	__u8 actor_state;
	__u8 reserved[3];
	__u8 partner_type;
	__u8 partner_len;
	__u8 partner[IDS];
	__u8 partner_state;
	__u8 reserved_too[3];
	__u8 collector_type;
	__u8 collector_len;
} __attribute__((packed));

enum speech_flag {
	SPEAKS = 1,  /* the port is agreed with its partner, who may be answered */
	GUARDED = 2, /* a program behind the egress treats frames that are marked UNHEARD */
};

/* What the daemon said last of a port: the frame that answers, with the partner as it was
 * agreed on. Written by the daemon only, whole. */
struct speech {
	__u8 frame[FRAME];
	enum speech_flag flags;
	__u64 orphan_time; /* ns */
	__u32 epoch;       /* another one each time; never 0 */
	__u32 made_clsact; /* the clsact qdisc is ours; for the daemon */
};

enum why {
	NOT_STOPPED,
	PARTNER_CHANGED,
	CARRIER_LOST,
};

/* What the programs note of a port. Times are CLOCK_MONOTONIC, ns; 0: never. */
struct note {
	__u64 heard;  /* the partner, as it was agreed on */
	__u64 spoken; /* by these programs */
	__u64 answers;
	__u64 held; /* frames that did not leave by the port */
	__u64 own;  /* LACPDUs of our own system */
	__u32 stopped; /* the epoch that has ended before the daemon came back */
	enum why why;
	__u32 losses; /* of carrier, when the daemon was there and the partner was heard */
	__u32 losses_known;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, PORTS);
	__type(key, __u32); /* ifindex, as below */
	__type(value, struct speech);
} yoke_speech SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, PORTS);
	__type(key, __u32);
	__type(value, struct note);
} yoke_notes SEC(".maps");

/* Until when a port may be sent on without a word of the partner; 0: for ever. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, PORTS);
	__type(key, __u32);
	__type(value, __u64);
} yoke_until SEC(".maps");

/* When the daemon was last there. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} yoke_beat SEC(".maps");

/* Set before loading. Where the last two are 0 the carrier cannot be seen. */
volatile const __u64 stale_after;
volatile const __u64 answer_gap;
volatile const __u32 dev_at;    /* offset of sk_buff.dev */
volatile const __u32 losses_at; /* offset of net_device.carrier_down_count */

/* silence is how long the daemon has been silent. */
static __always_inline __u64 silence(__u64 now)
{
	__u32 zero = 0;
	__u64 *beat = bpf_map_lookup_elem(&yoke_beat, &zero), at;

	if (!beat)
		return 0;
	at = *(volatile __u64 *)beat;
	return (__s64)(now - at) > 0 ? now - at : 0;
}

/* losses_of is how often the port has lost its carrier. */
static __always_inline int losses_of(struct __sk_buff *skb, __u32 *losses)
{
	void *dev = 0;

	if (!dev_at)
		return 0;
	return !bpf_probe_read_kernel(&dev, sizeof(dev), (void *)skb + dev_at) &&
	       !bpf_probe_read_kernel(losses, sizeof(*losses), dev + losses_at);
}

static __always_inline int equal(const __u8 *a, const __u8 *b, int n)
{
	__u8 differ = 0;
	int i;

#pragma unroll
	for (i = 0; i < n; i++)
		differ |= a[i] ^ b[i];
	return !differ;
}

/* agreed: the partner is, says and knows of us what it did when the daemon was there. What
 * it asks for is its own affair, and a sender may have been opened since. */
static __always_inline int agreed(const struct pdu *heard, const struct pdu *last)
{
	__u8 changed = heard->actor_state ^ last->partner_state;

	changed &= ~(TIMEOUT | (heard->actor_state & DISTRIBUTING));
	return !changed && equal(heard->actor, last->partner, IDS) && equal(heard->partner, last->actor, IDS);
}

/* read_pdu reads a LACPDU to the destination that is ours. */
static __always_inline int read_pdu(struct __sk_buff *skb, struct pdu *heard, const struct pdu *last)
{
	if (skb->len < FRAME || bpf_skb_load_bytes(skb, 0, heard, sizeof(*heard)))
		return 0;
	return heard->subtype == SUBTYPE_LACP && heard->actor_len == INFO_LEN && heard->partner_len == INFO_LEN &&
	       heard->collector_len == COLLECTOR_LEN && equal(heard->dst, last->dst, ETH_ALEN);
}

/* keep_open lets the port be sent on for as long as the partner may now be silent: it
 * speaks as often as we, in its eyes, ask it to. */
static __always_inline void keep_open(__u32 port, const struct pdu *heard, __u64 now)
{
	__u64 *until = bpf_map_lookup_elem(&yoke_until, &port);

	if (until)
		*(volatile __u64 *)until = now + (heard->partner_state & TIMEOUT ? SHORT_TIMEOUT : LONG_TIMEOUT);
}

/* stop ends both speaking and sending until the daemon says something new of the port. */
static __always_inline int stop(__u32 port, struct speech *speech, struct note *note, enum why why)
{
	__u64 *until = bpf_map_lookup_elem(&yoke_until, &port);

	note->why = why;
	note->stopped = speech->epoch;
	if (until)
		*(volatile __u64 *)until = 1;
	return TC_ACT_UNSPEC;
}

/* answer sends the frame back as ours, and lets it pass as it was: a daemon that is only
 * late, or just about to begin, hears all that it would have heard. */
static __always_inline int answer(struct __sk_buff *skb, struct speech *speech, struct note *note, const struct pdu *heard, __u64 now)
{
	__u64 last = *(volatile __u64 *)&note->spoken;
	__u8 was[FRAME];

	if (last && now - last < answer_gap)
		return TC_ACT_UNSPEC;
	if (__sync_val_compare_and_swap(&note->spoken, last, now) != last)
		return TC_ACT_UNSPEC;
	if ((skb->vlan_present && bpf_skb_vlan_pop(skb)) || bpf_skb_load_bytes(skb, 0, was, FRAME))
		return TC_ACT_UNSPEC;
	if (bpf_skb_change_tail(skb, FRAME, 0) || bpf_skb_store_bytes(skb, 0, speech->frame, FRAME, 0) ||
	    bpf_skb_store_bytes(skb, __builtin_offsetof(struct pdu, partner), heard->actor, IDS + 1, 0))
		return TC_ACT_SHOT; /* it is no frame of anybody any more */
	skb->priority = PRIORITY_CONTROL;
	note->answers += 1;
	bpf_clone_redirect(skb, skb->ifindex, 0);
	return bpf_skb_store_bytes(skb, 0, was, FRAME, 0) ? TC_ACT_SHOT : TC_ACT_UNSPEC;
}

/* orphaned treats what is heard while the daemon is silent. */
static __always_inline int orphaned(struct __sk_buff *skb, struct speech *speech, struct note *note, const struct pdu *heard, __u64 now, __u64 silent)
{
	const struct pdu *last = (const void *)speech->frame;
	__u32 port = skb->ifindex, losses = 0;

	if (note->stopped == speech->epoch)
		return TC_ACT_UNSPEC;
	if (!agreed(heard, last))
		return stop(port, speech, note, PARTNER_CHANGED);
	if (note->losses_known && losses_of(skb, &losses) && losses != note->losses)
		return stop(port, speech, note, CARRIER_LOST);
	note->heard = now;
	keep_open(port, heard, now);
	if (silent > speech->orphan_time)
		return TC_ACT_UNSPEC;
	return answer(skb, speech, note, heard, now);
}

/* answer: ingress of a port. */
SEC("tc")
int yoke_answer(struct __sk_buff *skb)
{
	__u32 port = skb->ifindex;
	struct speech *speech;
	struct note *note;
	const struct pdu *last;
	struct pdu heard;
	__u64 now, silent;

	if (skb->protocol != bpf_htons(TYPE_SLOW) || (skb->vlan_present && skb->vlan_tci & 0xfff))
		return TC_ACT_UNSPEC;
	speech = bpf_map_lookup_elem(&yoke_speech, &port);
	note = bpf_map_lookup_elem(&yoke_notes, &port);
	if (!speech || !note || !(speech->flags & SPEAKS))
		return TC_ACT_UNSPEC;
	last = (const void *)speech->frame;
	if (!read_pdu(skb, &heard, last))
		return TC_ACT_UNSPEC;
	if (equal(heard.actor + 2, last->actor + 2, ETH_ALEN)) {
		note->own += 1;
		return TC_ACT_UNSPEC;
	}
	now = bpf_ktime_get_ns();
	silent = silence(now);
	if (silent > stale_after)
		return orphaned(skb, speech, note, &heard, now, silent);
	if (agreed(&heard, last)) {
		note->heard = now;
		note->losses_known = losses_of(skb, &note->losses);
		keep_open(port, &heard, now);
	}
	return TC_ACT_UNSPEC;
}

/* hold keeps a frame from leaving by a port on which nobody listens, unless the daemon is
 * there to judge. */
__noinline int hold(struct __sk_buff *skb, __u64 now)
{
	__u32 port = skb->ifindex;
	struct speech *speech = bpf_map_lookup_elem(&yoke_speech, &port);
	struct note *note = bpf_map_lookup_elem(&yoke_notes, &port);

	if (!speech || !note || silence(now) <= stale_after || is_of_port(skb))
		return TC_ACT_UNSPEC;
	__sync_fetch_and_add(&note->held, 1);
	if (!(speech->flags & GUARDED))
		return TC_ACT_SHOT;
	skb->cb[CB_UNHEARD] = UNHEARD;
	return TC_ACT_UNSPEC;
}

/* hold: egress of a port. */
SEC("tc")
int yoke_hold(struct __sk_buff *skb)
{
	__u32 port = skb->ifindex;
	__u64 *found = bpf_map_lookup_elem(&yoke_until, &port), until, now;

	if (!found)
		return TC_ACT_UNSPEC;
	until = *(volatile __u64 *)found;
	if (!until)
		return TC_ACT_UNSPEC;
	now = bpf_ktime_get_coarse_ns();
	return (__s64)(now - until) < 0 ? TC_ACT_UNSPEC : hold(skb, now);
}

char _license[] SEC("license") = "Dual BSD/GPL";
