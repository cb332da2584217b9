package control

import (
	"net/netip"
	"strconv"
	"strings"

	"github.com/yokelag/yoke/agg"
)

// Flow names the frames of one conversation by the fields that hashes read. Unset
// fields are zero, as in a frame that does not have them.
type Flow struct {
	SrcMAC agg.MAC    `json:"smac,omitzero"`
	DstMAC agg.MAC    `json:"dmac,omitzero"`
	Src    netip.Addr `json:"src,omitzero"`
	Dst    netip.Addr `json:"dst,omitzero"`
	// Proto is the IP protocol: "tcp", "udp", "icmp", "sctp" or a number.
	Proto   string `json:"proto,omitempty"`
	SrcPort uint16 `json:"sport,omitempty"`
	DstPort uint16 `json:"dport,omitempty"`
	VLAN    uint16 `json:"vlan,omitempty"`
}

const flowForm = "write it as src=10.0.0.1,dst=10.0.0.2,proto=tcp,sport=40000,dport=443 with, where layer2 hashes, smac=02:00:00:00:00:01,dmac=02:00:00:00:00:02"

// ParseFlow reads comma-separated key=value pairs. The error is a *agg.Problem.
func ParseFlow(text string) (Flow, error) {
	var f Flow
	for word := range strings.SplitSeq(text, ",") {
		key, value, ok := strings.Cut(strings.TrimSpace(word), "=")
		if !ok {
			return Flow{}, flowProblem(word, "is not of the form key=value")
		}
		if err := f.set(key, value); err != nil {
			return Flow{}, err
		}
	}
	return f, f.check()
}

func (f *Flow) set(key, value string) error {
	var err error
	switch key {
	case "smac":
		f.SrcMAC, err = agg.ParseMAC(value)
	case "dmac":
		f.DstMAC, err = agg.ParseMAC(value)
	case "src":
		f.Src, err = netip.ParseAddr(value)
	case "dst":
		f.Dst, err = netip.ParseAddr(value)
	case "proto":
		f.Proto = value
		_, err = f.Protocol()
	case "sport":
		f.SrcPort, err = parse16(value)
	case "dport":
		f.DstPort, err = parse16(value)
	case "vlan":
		f.VLAN, err = parse16(value)
	default:
		return flowProblem(key, "is not a field of a flow")
	}
	if err != nil {
		return flowProblem(key+"="+value, "cannot be read")
	}
	return nil
}

func parse16(text string) (uint16, error) {
	n, err := strconv.ParseUint(text, 10, 16)
	return uint16(n), err
}

func (f Flow) check() error {
	if f.Src.IsValid() && f.Dst.IsValid() && f.Src.Is4() != f.Dst.Is4() {
		return flowProblem(f.Src.String()+" and "+f.Dst.String(), "are not of the same IP version")
	}
	if f.Src.IsValid() != f.Dst.IsValid() {
		return flowProblem("", "needs both src and dst, or neither")
	}
	if (f.SrcPort != 0 || f.DstPort != 0) && f.Proto == "" {
		return flowProblem("", "has ports but no proto")
	}
	return nil
}

// Protocol returns the number of Proto, 0 where it is unset.
func (f Flow) Protocol() (uint8, error) {
	switch f.Proto {
	case "":
		return 0, nil
	case "tcp":
		return 6, nil
	case "udp":
		return 17, nil
	case "icmp":
		return 1, nil
	case "icmp6":
		return 58, nil
	case "sctp":
		return 132, nil
	}
	n, err := strconv.ParseUint(f.Proto, 10, 8)
	return uint8(n), err
}

// String returns the form that ParseFlow reads.
func (f Flow) String() string {
	var words []string
	add := func(key, value string, set bool) {
		if set {
			words = append(words, key+"="+value)
		}
	}
	add("smac", f.SrcMAC.String(), !f.SrcMAC.IsZero())
	add("dmac", f.DstMAC.String(), !f.DstMAC.IsZero())
	add("vlan", strconv.Itoa(int(f.VLAN)), f.VLAN != 0)
	add("src", f.Src.String(), f.Src.IsValid())
	add("dst", f.Dst.String(), f.Dst.IsValid())
	add("proto", f.Proto, f.Proto != "")
	add("sport", strconv.Itoa(int(f.SrcPort)), f.SrcPort != 0)
	add("dport", strconv.Itoa(int(f.DstPort)), f.DstPort != 0)
	return strings.Join(words, ",")
}

func flowProblem(value, rule string) *agg.Problem {
	return &agg.Problem{Code: "invalid-flow", Option: "flow", Value: value, Rule: rule, Remedy: flowForm}
}
