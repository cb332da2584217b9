package team

import (
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/yokelag/yoke/agg"
)

// fields is the hash of a list of fields, folded. A frame that ends within a header that
// is asked for has hash 0: a load beyond the end makes the whole program return 0.
func (a *assembler) fields(want agg.HashPolicy) {
	has := func(any agg.HashPolicy) bool { return want&any&^agg.HashFields != 0 }
	frame := place{}
	a.alu(unix.BPF_AND, 0)
	a.store(memEth)
	if has(agg.FieldEth) {
		for _, at := range []uint32{0, 6} {
			a.load(unix.BPF_H, frame, at)
			a.xorInto(memEth)
			a.load(unix.BPF_W, frame, at+2)
			a.xorInto(memEth)
		}
	}
	a.load(unix.BPF_H, frame, 12)
	a.ifEqual(typeVLAN, "tagged")
	if has(agg.FieldVLAN) {
		a.tagBeside("untagged")
		a.xorInto(memEth)
		a.label("untagged")
	}
	a.network(want, ethernetLen)
	a.label("tagged")
	a.load(unix.BPF_H, frame, ethernetLen)
	if has(agg.FieldVLAN) {
		a.alu(unix.BPF_AND, 0xfff)
		a.xorInto(memEth)
	}
	a.network(want, ethernetLen+4)
	a.label("fold")
	a.recall(memEth)
	for _, shift := range []uint32{16, 8} {
		a.aToX()
		a.alu(unix.BPF_RSH, shift)
		a.aluX(unix.BPF_XOR)
	}
	a.alu(unix.BPF_AND, 0xff)
}

// network adds the part of IP, whose header begins at offset, behind its type.
func (a *assembler) network(want agg.HashPolicy, offset uint32) {
	const l4 = agg.FieldTCP | agg.FieldUDP | agg.FieldSCTP
	p := place{offset: offset}
	ip6 := fmt.Sprintf("ip6at%d", offset)
	a.load(unix.BPF_H, place{}, offset-2)
	a.ifEqual(typeIPv6, ip6)
	a.ifEqual(typeIPv4, fmt.Sprintf("ip4at%d", offset))
	a.goTo("fold")
	a.label(fmt.Sprintf("ip4at%d", offset))
	if want&(agg.FieldIPv4|l4) != 0 {
		a.load(unix.BPF_B, p, 19)
		if want&agg.FieldIPv4 != 0 {
			a.addWords(p, 12, 20)
		}
		a.load(unix.BPF_H, p, 6)
		a.jump(unix.BPF_JSET, 0x1fff, "fold")
		a.load(unix.BPF_B, p, 0)
		a.alu(unix.BPF_AND, 0xf)
		a.alu(unix.BPF_LSH, 2)
		a.addPlace(p)
		a.store(memAt)
		a.portFields(want, p, 9)
	}
	a.goTo("fold")
	a.label(ip6)
	if want&(agg.FieldIPv6|l4) != 0 {
		a.load(unix.BPF_B, p, 39)
		if want&agg.FieldIPv6 != 0 {
			a.addWords(p, 8, 40)
		}
		a.alu(unix.BPF_AND, 0)
		a.alu(unix.BPF_ADD, offset+40)
		a.store(memAt)
		a.portFields(want, p, 6)
	}
	a.goTo("fold")
}

func (a *assembler) addWords(p place, from, to uint32) {
	for at := from; at < to; at += 4 {
		a.load(unix.BPF_W, p, at)
		a.xorInto(memEth)
	}
}

// portFields adds both ports of the protocols that are asked for.
func (a *assembler) portFields(want agg.HashPolicy, p place, proto uint32) {
	read := fmt.Sprintf("fields%d", len(a.code))
	a.load(unix.BPF_B, p, proto)
	for _, f := range []struct {
		field agg.HashPolicy
		proto uint32
	}{{agg.FieldTCP, 6}, {agg.FieldUDP, 17}, {agg.FieldSCTP, 132}} {
		if want&f.field != 0 {
			a.ifEqual(f.proto, read)
		}
	}
	a.goTo("fold")
	a.label(read)
	l4 := place{word: memAt, dynamic: true}
	for _, at := range []uint32{0, 2} {
		a.load(unix.BPF_H, l4, at)
		a.xorInto(memEth)
	}
}
