package wire

// Drop is why a frame cannot be read: an error, and a label for counters.
type Drop string

// The reasons.
const (
	ShortEthernet Drop = "short-ethernet"
	TooManyTags   Drop = "too-many-vlan-tags"
	ShortIPv4     Drop = "short-ipv4"
	BadIPv4       Drop = "bad-ipv4-header"
	ShortIPv6     Drop = "short-ipv6"
	BadIPv6       Drop = "bad-ipv6-header"
	ShortTCP      Drop = "short-tcp"
	BadTCP        Drop = "bad-tcp-header"
	ShortUDP      Drop = "short-udp"
	ShortICMP     Drop = "short-icmp"
)

// Error implements error.
func (d Drop) Error() string { return "frame dropped: " + string(d) }
