package ebpf

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/yokelag/yoke/wire"
	"github.com/yokelag/yoke/wire/arp"
	"github.com/yokelag/yoke/wire/nd"
)

const here6 = "2001:db8::1"

// inquiry asks who has the aggregate's address.
type inquiry struct {
	kind   wire.EtherType
	family int
	// one and other are who asks: of a standby port, and of the active one.
	one, other netip.Addr
	frame      func(from netip.Addr) []byte
	// answer tells whom a frame answers, if it does.
	answer func(frame []byte) netip.Addr
}

var inquiries = map[string]inquiry{
	"ARP": {
		wire.TypeARP, unix.AF_INET, netip.MustParseAddr("192.0.2.77"), netip.MustParseAddr("192.0.2.78"), askARP, answerARP,
	},
	"ND": {
		wire.TypeIPv6, unix.AF_INET6, netip.MustParseAddr("2001:db8::77"), netip.MustParseAddr("2001:db8::78"), askND, answerND,
	},
}

func askARP(from netip.Addr) []byte {
	b := wire.Ethernet{Dst: wire.Broadcast, Src: sender, Type: wire.TypeARP}.AppendTo(nil)
	return arp.Packet{
		Operation: arp.Request, SenderMAC: sender, SenderIP: from, TargetIP: netip.MustParseAddr(here),
	}.AppendTo(b)
}

func answerARP(frame []byte) netip.Addr {
	_, b, _ := wire.ParseEthernet(frame)
	p, err := arp.Parse(b)
	if err != nil || p.Operation != arp.Reply || p.SenderIP.String() != here {
		return netip.Addr{}
	}
	return p.TargetIP
}

func askND(from netip.Addr) []byte {
	group := netip.MustParseAddr("ff02::1:ff00:1") // of here6
	b := wire.Ethernet{Dst: [6]byte{0x33, 0x33, 0xff, 0, 0, 1}, Src: sender, Type: wire.TypeIPv6}.AppendTo(nil)
	b = wire.IPv6{
		PayloadLen: nd.MessageLen + nd.OptionLen, NextHeader: wire.ProtoICMPv6, HopLimit: 255, Src: from, Dst: group,
	}.AppendTo(b)
	source := append([]byte{nd.OptionSourceMAC, 1}, sender[:]...)
	return nd.Message{Type: nd.Solicitation, Target: netip.MustParseAddr(here6), Options: source}.AppendTo(b, from, group)
}

func answerND(frame []byte) netip.Addr {
	e, b, _ := wire.ParseEthernet(frame)
	if e.Type != wire.TypeIPv6 {
		return netip.Addr{}
	}
	h, b, _ := wire.ParseIPv6(b)
	m, err := nd.Parse(b)
	if err != nil || m.Type != nd.Advertisement || m.Target.String() != here6 {
		return netip.Addr{}
	}
	return h.Dst
}

// Somebody asks for the aggregate's address on its standby port: no stack hears it, that of the
// port as little as that of the aggregate, and nobody answers.
func TestQuestionOnAStandbyPortIsNotHeard(t *testing.T) {
	variants(t, func(t *testing.T, r *rig) {
		r.near.AddAddr("bond0", here6+"/64")
		r.ready()
		for name, q := range inquiries {
			active, standby, near := openPackets(t, r.far, "eth0"), openPackets(t, r.far, "eth1"), openPackets(t, r.near, "eth1")
			standby.send(q.frame(q.one))
			if !near.sees(uint16(q.kind), true) {
				t.Fatalf("%s: the inquiry did not come", name)
			}
			active.send(q.frame(q.other))
			got := append(active.answered(q, q.other, time.Now().Add(20*time.Second)), standby.answered(q, q.other, time.Now())...)
			if !slices.Equal(got, []netip.Addr{q.other}) {
				t.Errorf("%s: answers to %v", name, got)
			}
			if one, other := r.knows(q, q.one), r.knows(q, q.other); one || !other {
				t.Errorf("%s: asked on the standby port was heard: %v, on the active one: %v", name, one, other)
			}
		}
	})
}

// answered lists to whom answers come until the last has one, or until then.
func (p *packets) answered(q inquiry, last netip.Addr, until time.Time) (to []netip.Addr) {
	p.t.Helper()
	for !slices.Contains(to, last) {
		frame := p.next(until)
		if len(frame) == 0 {
			break
		}
		if a := q.answer(frame); a.IsValid() {
			to = append(to, a)
		}
	}
	return to
}

// knows reports whether some stack near has heard of a neighbour.
func (r *rig) knows(q inquiry, who netip.Addr) bool {
	r.Helper()
	list, err := r.near.Handle().NeighList(0, q.family)
	if err != nil {
		r.Fatal(err)
	}
	return slices.ContainsFunc(list, func(n netlink.Neigh) bool { return n.IP.Equal(who.AsSlice()) })
}
