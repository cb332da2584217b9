package wire

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// ParseFlow reads the text form of a flow: comma-separated key=value, in any order.
//
//	src=192.0.2.1,dst=192.0.2.2,proto=udp,sport=5000,dport=53
//
// Keys: src, dst (addresses), proto (tcp, udp, icmp, icmpv6 or a number), sport,
// dport, id (of an ICMP echo), smac, dmac (Ethernet addresses), vlan (id, repeated from
// the outermost), type (of a frame without addresses). proto is tcp where ports are
// given and no proto. A flow without smac or dmac has zero addresses there.
func ParseFlow(text string) (Flow, error) {
	p := flowParser{seen: map[string]bool{}}
	for word := range strings.SplitSeq(text, ",") {
		key, value, ok := strings.Cut(strings.TrimSpace(word), "=")
		if !ok {
			return Flow{}, fmt.Errorf("flow: %q is not key=value; write it as src=192.0.2.1,dst=192.0.2.2,proto=udp,sport=5000,dport=53", word)
		}
		if p.seen[key] && key != "vlan" {
			return Flow{}, fmt.Errorf("flow: %s is given twice", key)
		}
		p.seen[key] = true
		if err := p.set(key, value); err != nil {
			return Flow{}, fmt.Errorf("flow: %s=%s: %w", key, value, err)
		}
	}
	return p.finish()
}

type flowParser struct {
	flow Flow
	tags []VLAN
	seen map[string]bool
}

func (p *flowParser) set(key, value string) (err error) {
	switch key {
	case "src":
		p.flow.Src, err = parseAddr(value)
	case "dst":
		p.flow.Dst, err = parseAddr(value)
	case "proto":
		p.flow.Protocol, err = parseProtocol(value)
	case "sport", "id":
		p.flow.SrcPort, err = parse16(value, 0xffff)
	case "dport":
		p.flow.DstPort, err = parse16(value, 0xffff)
	case "smac":
		p.flow.SrcMAC, err = parseMAC(value)
	case "dmac":
		p.flow.DstMAC, err = parseMAC(value)
	case "vlan":
		var id uint16
		id, err = parse16(value, 0xfff)
		p.tags = append(p.tags, VLAN{Type: TypeVLAN, TCI: id})
	case "type":
		var t uint16
		t, err = parse16(value, 0xffff)
		p.flow.Type = EtherType(t)
	default:
		err = fmt.Errorf("there is no such key; known are src, dst, proto, sport, dport, id, smac, dmac, vlan, type")
	}
	return err
}

func (p *flowParser) finish() (Flow, error) {
	f := p.flow
	var err error
	if f.Tags, err = MakeTags(p.tags...); err != nil {
		return Flow{}, fmt.Errorf("flow: at most %d tags", MaxTags)
	}
	f.Src, f.Dst = f.Src.Unmap().WithZone(""), f.Dst.Unmap().WithZone("")
	if f.Src.IsValid() != f.Dst.IsValid() || f.Src.Is4() != f.Dst.Is4() {
		return Flow{}, fmt.Errorf("flow: src and dst must both be given, and be of the same family")
	}
	if !f.Src.IsValid() && (p.seen["proto"] || p.seen["sport"] || p.seen["dport"]) {
		return Flow{}, fmt.Errorf("flow: proto and ports need src and dst")
	}
	if !p.seen["proto"] && (p.seen["sport"] || p.seen["dport"]) {
		f.Protocol = ProtoTCP
	}
	if f.Protocol == ProtoICMP && f.Src.Is6() {
		f.Protocol = ProtoICMPv6
	}
	return f, nil
}

func parseAddr(text string) (netip.Addr, error) {
	a, err := netip.ParseAddr(text)
	if err != nil {
		return a, fmt.Errorf("must be an address such as 192.0.2.1 or 2001:db8::1")
	}
	return a, nil
}

func parseProtocol(text string) (Protocol, error) {
	for _, p := range []Protocol{ProtoTCP, ProtoUDP, ProtoICMP, ProtoICMPv6} {
		if p.String() == strings.ToLower(text) {
			return p, nil
		}
	}
	n, err := strconv.ParseUint(text, 10, 8)
	if err != nil {
		return 0, fmt.Errorf("must be tcp, udp, icmp, icmpv6 or a number from 0 to 255")
	}
	return Protocol(n), nil
}

func parse16(text string, largest uint64) (uint16, error) {
	n, err := strconv.ParseUint(text, 0, 16)
	if err != nil || n > largest {
		return 0, fmt.Errorf("must be a number from 0 to %d", largest)
	}
	return uint16(n), nil
}

func parseMAC(text string) ([6]byte, error) {
	hw, err := net.ParseMAC(text)
	if err != nil || len(hw) != 6 {
		return [6]byte{}, fmt.Errorf("must be an Ethernet address such as 02:00:00:00:00:01")
	}
	return [6]byte(hw), nil
}
