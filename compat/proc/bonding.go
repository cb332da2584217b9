package proc

import (
	"fmt"
	"strings"

	"github.com/yokelag/yoke/agg"
)

// Extra is what the text has and a status has not.
type Extra struct {
	// Driver is what stands for the bonding driver's version, as "v6.1.0".
	Driver string
	// Permanent are the addresses that ports had before they were taken, by name; where one
	// lacks, the present one stands for it.
	Permanent map[string]agg.MAC
}

// Bonding returns the text of /proc/net/bonding for an aggregate, as a reader with
// CAP_NET_ADMIN gets it. Lines that the driver has for a mode or a watch only are there
// with that one. The modes are the driver's; Yoke's own is named by its own word.
func Bonding(s agg.Status, x Extra) string {
	var b strings.Builder
	c := s.Spec.Config()
	fmt.Fprintf(&b, "Ethernet Channel Bonding Driver: %s\n\n", x.Driver)
	fmt.Fprintf(&b, "Bonding Mode: %s\n", modeWords(s))
	if hashes(s.Spec, c.Mode) {
		fmt.Fprintf(&b, "Transmit Hash Policy: %s (%d)\n", value(s.Spec, "xmit_hash_policy"), number("xmit_hash_policy", value(s.Spec, "xmit_hash_policy")))
	}
	if hasActive(c.Mode) {
		primary := "None"
		if s.Spec.Port(c.Primary) != agg.NoPort {
			primary = fmt.Sprintf("%s (primary_reselect %s)", c.Primary, value(s.Spec, "primary_reselect"))
		}
		fmt.Fprintf(&b, "Primary Slave: %s\nCurrently Active Slave: %s\n", primary, orNone(s.Active))
	}
	fmt.Fprintf(&b, "MII Status: %s\n", upDown(s.Device.Carrier))
	b.WriteString(watchText(s.Plane, s.Spec, c))
	if c.Mode == agg.LACP {
		b.WriteString("\n" + lacpText(s, c.LACP))
	}
	for _, p := range s.Ports {
		b.WriteString("\n" + portText(s, p, x))
		if c.Mode == agg.LACP {
			b.WriteString(portLACPText(p.LACP))
		}
	}
	return b.String()
}

func portText(s agg.Status, p agg.PortStatus, x Extra) string {
	mac, ok := x.Permanent[p.Name]
	if !ok {
		mac = p.Facts.MAC
	}
	speed, duplex := "Unknown", "Unknown"
	if p.Facts.Speed != 0 {
		speed, duplex = fmt.Sprintf("%d Mbps", p.Facts.Speed), "half"
		if p.Facts.FullDuplex {
			duplex = "full"
		}
	}
	queue := "0"
	if i := s.Spec.Port(p.Name); i != agg.NoPort && s.Spec.Ports[i].Options["queue_id"] != "" {
		queue = s.Spec.Ports[i].Options["queue_id"]
	}
	return fmt.Sprintf("Slave Interface: %s\nMII Status: %s\nSpeed: %s\nDuplex: %s\nLink Failure Count: %d\nPermanent HW addr: %s\nSlave queue ID: %s\n",
		p.Name, linkWords(p), speed, duplex, failures(s, p), mac, queue)
}

// failures are the driver's own count on plane bonding, which has seen more than Yoke.
func failures(s agg.Status, p agg.PortStatus) uint64 {
	if n, ok := s.Counters["link_failures_"+p.Name]; ok {
		return n
	}
	return p.Failures
}

// linkWords are the driver's for the state of the watch.
func linkWords(p agg.PortStatus) string {
	for _, g := range p.Gates {
		switch {
		case g.Name != agg.GateWatch:
		case g.Reason == "updelay":
			return "going back"
		case g.Reason == "downdelay":
			return "going down"
		default:
			return upDown(g.OK)
		}
	}
	return upDown(p.Carrying)
}

func modeWords(s agg.Status) string {
	words := map[agg.Mode]string{
		agg.BalanceRR: "load balancing (round-robin)", agg.ActiveBackup: "fault-tolerance (active-backup)", agg.BalanceXOR: "load balancing (xor)",
		agg.Broadcast: "fault-tolerance (broadcast)", agg.LACP: "IEEE 802.3ad Dynamic link aggregation",
		agg.BalanceTLB: "transmit load balancing", agg.BalanceALB: "adaptive load balancing",
	}
	mode := s.Spec.Config().Mode
	text, ok := words[mode]
	if !ok {
		text = mode.String()
	}
	if v := s.Spec.Options["fail_over_mac"]; mode == agg.ActiveBackup && (v == "active" || v == "follow") {
		text += " (fail_over_mac " + v + ")"
	}
	return text
}

// hashes reports whether the driver chooses ports by xmit_hash_policy.
func hashes(s agg.Spec, m agg.Mode) bool {
	switch m {
	case agg.BalanceXOR, agg.LACP:
		return true
	case agg.BalanceTLB, agg.BalanceALB:
		return value(s, "tlb_dynamic_lb") == "off"
	default:
		return false
	}
}

func hasActive(m agg.Mode) bool {
	return m == agg.ActiveBackup || m == agg.BalanceTLB || m == agg.BalanceALB
}

// value is an option's in canonical text, set or by default.
func value(s agg.Spec, name string) string {
	if v, ok := s.Options[name]; ok {
		return v
	}
	o, ok := agg.Lookup(name, agg.OfAggregate)
	if !ok {
		return ""
	}
	return o.Default
}

func number(name, text string) int {
	o, ok := agg.Lookup(name, agg.OfAggregate)
	if !ok {
		return 0
	}
	for _, v := range o.Values {
		if v.Text == text {
			return v.Number
		}
	}
	return 0
}

func upDown(up bool) string {
	if up {
		return "up"
	}
	return "down"
}

func orNone(name string) string {
	if name == "" {
		return "None"
	}
	return name
}
