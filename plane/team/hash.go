package team

import (
	"fmt"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/policy"
	"github.com/yokelag/yoke/team"
)

// hashes are the policies that classic BPF can compute here. The encap policies need the
// kernel's flow dissector, which follows more than a program without loops can.
func hashes() []agg.HashPolicy {
	return []agg.HashPolicy{agg.HashLayer2, agg.HashLayer34, agg.HashLayer23, agg.HashVLANSrcMAC}
}

func computes(h agg.HashPolicy) bool {
	return h.Kind() == agg.HashFields || slices.Contains(hashes(), h)
}

// golden is the multiplier of agg.BucketOf.
const golden = 0x9E3779B1

// program computes the entry of the plan's table for a frame: policy.Hash, and then
// agg.Plan.Entry.
func program(plan agg.Plan) ([]team.Instruction, error) {
	a := newAssembler()
	switch {
	case plan.Select == agg.SelectFixed: // all frames have entry 0
		a.op(unix.BPF_RET|unix.BPF_K, 0)
		return a.finish()
	case plan.Hash.Kind() == agg.HashFields:
		a.fields(plan.Hash)
	case plan.Hash == agg.HashVLANSrcMAC:
		a.vlanSrcMAC()
	case plan.Hash == agg.HashLayer2:
		a.ethernet()
	case plan.Hash == agg.HashLayer23:
		a.addresses(false)
	case plan.Hash == agg.HashLayer34:
		a.addresses(true)
	default:
		return nil, fmt.Errorf("no program for the hash %v", plan.Hash)
	}
	a.label("entry")
	if plan.Select == agg.SelectModulo {
		a.alu(unix.BPF_MOD, uint32(len(plan.Table)))
	} else {
		a.alu(unix.BPF_MUL, golden)
		a.alu(unix.BPF_RSH, 24)
	}
	a.op(unix.BPF_RET|unix.BPF_A, 0)
	return a.finish()
}

const (
	ethernetLen = 14
	typeVLAN    = 0x8100
	typeIPv4    = 0x0800
	typeIPv6    = 0x86DD

	// From linux/filter.h: words of the frame's metadata.
	metadata    = 0xfffff000
	vlanTag     = metadata + 44
	vlanIsThere = metadata + 48
)

// ethernet leaves the hash of the Ethernet header in the accumulator and in memEth.
func (a *assembler) ethernet() {
	frame := place{}
	a.load(unix.BPF_B, frame, 5)
	a.store(memEth)
	a.load(unix.BPF_B, frame, 11)
	a.xorInto(memEth)
	a.load(unix.BPF_H, frame, 12)
	a.xorInto(memEth)
}

func (a *assembler) vlanSrcMAC() {
	frame := place{}
	a.load(unix.BPF_W, frame, 6)
	a.alu(unix.BPF_RSH, 8)
	a.store(memEth)
	a.load(unix.BPF_W, frame, 8)
	a.alu(unix.BPF_AND, 0xffffff)
	a.xorInto(memEth)
	a.tagBeside("untagged")
	a.xorInto(memEth)
	a.label("untagged")
	a.recall(memEth)
}

// tagBeside loads the tag that travels beside the frame, or jumps.
func (a *assembler) tagBeside(none string) {
	a.op(unix.BPF_LD|unix.BPF_W|unix.BPF_ABS, vlanIsThere)
	a.ifEqual(0, none)
	a.op(unix.BPF_LD|unix.BPF_W|unix.BPF_ABS, vlanTag)
}

// addresses is layer2+3, and layer3+4 where deep. What is not IP, or too short for its
// header, has the hash of the Ethernet header.
func (a *assembler) addresses(deep bool) {
	a.alu(unix.BPF_AND, 0)
	a.store(memPorts)
	a.store(memICMP)
	a.ethernet()
	outer := place{offset: ethernetLen}
	inner := place{word: memInner, dynamic: true}
	a.load(unix.BPF_H, place{}, 12)
	a.ifEqual(typeIPv4, "ip4")
	a.ifEqual(typeIPv6, "ip6")
	a.goTo("other")
	a.label("ip4")
	a.ip4(outer, "icmp", deep)
	a.label("ip6")
	a.ip6(outer, "icmp", deep)
	a.label("icmp")
	a.icmp(deep)
	a.label("inner4")
	a.ip4(inner, "mix", deep)
	a.label("inner6")
	a.ip6(inner, "mix", deep)
	a.label("mix")
	a.mix(deep)
	a.goTo("entry")
	a.label("other")
	a.recall(memEth)
}

// ip4 notes the addresses and, if deep, the ports of an IPv4 header, and goes on at
// next; of a fragment, at the end.
func (a *assembler) ip4(p place, next string, deep bool) {
	a.unlessLong(p, 20, "other")
	a.load(unix.BPF_W, p, 12)
	a.store(memAddr)
	a.load(unix.BPF_W, p, 16)
	a.xorInto(memAddr)
	a.load(unix.BPF_H, p, 6)
	a.farJump(unix.BPF_JSET, 0x3fff, "mix")
	a.load(unix.BPF_B, p, 9)
	a.store(memProto)
	a.load(unix.BPF_B, p, 0)
	a.alu(unix.BPF_AND, 0xf)
	a.alu(unix.BPF_LSH, 2)
	a.addPlace(p)
	a.store(memAt)
	a.ports(next, deep)
}

func (a *assembler) ip6(p place, next string, deep bool) {
	a.unlessLong(p, 40, "other")
	a.load(unix.BPF_W, p, 8)
	a.store(memAddr)
	for at := uint32(12); at < 40; at += 4 {
		a.load(unix.BPF_W, p, at)
		a.xorInto(memAddr)
	}
	a.load(unix.BPF_B, p, 6)
	a.store(memProto)
	a.alu(unix.BPF_AND, 0)
	a.alu(unix.BPF_ADD, 40)
	a.addPlace(p)
	a.store(memAt)
	a.ports(next, deep)
}

func (a *assembler) addPlace(p place) {
	if p.dynamic {
		a.toX(p.word)
		a.aluX(unix.BPF_ADD)
		return
	}
	a.alu(unix.BPF_ADD, p.offset)
}

// ports notes the word behind the IP header that holds both ports or the SPI.
func (a *assembler) ports(next string, deep bool) {
	if !deep {
		a.goTo(next)
		return
	}
	read := fmt.Sprintf("ports%d", len(a.code))
	a.recall(memProto)
	for _, proto := range []uint32{6, 17, 33, 50, 132, 136} {
		a.ifEqual(proto, read)
	}
	after := read + "none"
	a.ifEqual(51, read+"ah")
	a.goTo(after)
	a.label(read + "ah")
	a.recall(memAt)
	a.alu(unix.BPF_ADD, 4)
	a.store(memAt)
	a.label(read)
	l4 := place{word: memAt, dynamic: true}
	a.unlessLong(l4, 4, after)
	a.load(unix.BPF_W, l4, 0)
	a.store(memPorts)
	a.label(after)
	a.goTo(next)
}

// icmp notes the key of an echo or the like; of an error the packet that it is about
// counts instead.
func (a *assembler) icmp(deep bool) {
	l4 := place{word: memAt, dynamic: true}
	a.recall(memProto)
	a.ifEqual(1, "isicmp")
	a.ifEqual(58, "isicmp")
	a.goTo("mix")
	a.label("isicmp")
	a.unlessLong(l4, 8, "mix")
	a.load(unix.BPF_B, l4, 0)
	for _, kind := range []uint32{0, 8, 13, 14, 128, 129} {
		a.ifEqual(kind, "query")
	}
	a.store(memTemp)
	a.recall(memAt)
	a.alu(unix.BPF_ADD, 8)
	a.store(memInner)
	a.recall(memProto)
	a.ifEqual(58, "icmp6")
	a.recall(memTemp)
	for _, kind := range []uint32{3, 4, 5, 11, 12} {
		a.ifEqual(kind, "inner")
	}
	a.goTo("mix")
	a.label("icmp6")
	a.recall(memTemp)
	for kind := uint32(1); kind <= 4; kind++ {
		a.ifEqual(kind, "inner")
	}
	a.goTo("mix")
	a.label("query")
	if deep {
		a.icmpKey(l4)
	}
	a.goTo("mix")
	a.label("inner")
	a.load(unix.BPF_H, place{}, 12)
	a.ifEqual(typeIPv6, "inner6")
}

// icmpKey is type, code and identifier as the kernel lays them out in a word.
func (a *assembler) icmpKey(l4 place) {
	a.load(unix.BPF_H, l4, 4)
	a.jump(unix.BPF_JGT, 0, "identified")
	a.alu(unix.BPF_ADD, 1)
	a.label("identified")
	little := policy.NativeEndian() == policy.LittleEndian
	if little {
		a.alu(unix.BPF_LSH, 16)
	}
	a.store(memICMP)
	for at := range uint32(2) {
		a.load(unix.BPF_B, l4, at)
		shift := 24 - 8*at
		if little {
			shift = 8 * at
		}
		if shift > 0 {
			a.alu(unix.BPF_LSH, shift)
		}
		a.xorInto(memICMP)
	}
}

// mix makes the hash of what was noted.
func (a *assembler) mix(deep bool) {
	a.recall(memAddr)
	a.toX(memPorts)
	a.aluX(unix.BPF_XOR)
	a.native()
	if deep {
		a.toX(memICMP)
	} else {
		a.toX(memEth)
	}
	a.aluX(unix.BPF_XOR)
	for _, shift := range []uint32{16, 8} {
		a.aToX()
		a.alu(unix.BPF_RSH, shift)
		a.aluX(unix.BPF_XOR)
	}
	if deep {
		a.alu(unix.BPF_RSH, 1)
	}
}

// native turns a word that was loaded in network order into one of this machine's.
func (a *assembler) native() {
	if policy.NativeEndian() != policy.LittleEndian {
		return
	}
	a.store(memTemp)
	a.alu(unix.BPF_LSH, 24)
	a.store(memSwap)
	for _, part := range []struct {
		first  uint16
		n      uint32
		second uint16
		m      uint32
	}{{unix.BPF_AND, 0xff00, unix.BPF_LSH, 8}, {unix.BPF_RSH, 8, unix.BPF_AND, 0xff00}, {unix.BPF_RSH, 24, unix.BPF_AND, 0xff}} {
		a.recall(memTemp)
		a.alu(part.first, part.n)
		a.alu(part.second, part.m)
		a.toX(memSwap)
		a.aluX(unix.BPF_OR)
		a.store(memSwap)
	}
}
