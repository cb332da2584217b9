package wire

// Protocol is the number of what an IP packet carries (IANA protocol numbers).
type Protocol uint8

// The protocols that Yoke knows.
const (
	ProtoICMP   Protocol = 1
	ProtoIGMP   Protocol = 2
	ProtoTCP    Protocol = 6
	ProtoUDP    Protocol = 17
	ProtoICMPv6 Protocol = 58
)

// String returns the name that ParseFlow takes.
func (p Protocol) String() string {
	switch p {
	case ProtoICMP:
		return "icmp"
	case ProtoTCP:
		return "tcp"
	case ProtoUDP:
		return "udp"
	case ProtoICMPv6:
		return "icmpv6"
	default:
		return "other"
	}
}
