package agg

// Mode is how transmit ports are chosen. The numbers are bonding's plus one, so that
// the zero Mode means "not chosen".
type Mode uint8

// The modes, with bonding's names (facts: Documentation/networking/bonding.rst) and
// team's random.
const (
	ModeUnset Mode = iota
	BalanceRR
	ActiveBackup
	BalanceXOR
	Broadcast
	LACP
	BalanceTLB
	BalanceALB
	Random
)

// String returns the canonical name.
func (m Mode) String() string {
	switch m {
	case BalanceRR:
		return "balance-rr"
	case ActiveBackup:
		return "active-backup"
	case BalanceXOR:
		return "balance-xor"
	case Broadcast:
		return "broadcast"
	case LACP:
		return "802.3ad"
	case BalanceTLB:
		return "balance-tlb"
	case BalanceALB:
		return "balance-alb"
	case Random:
		return "random"
	case ModeUnset:
		return "unset"
	default:
		return "unknown"
	}
}

// Modes lists every mode in bonding's order.
func Modes() []Mode {
	return []Mode{BalanceRR, ActiveBackup, BalanceXOR, Broadcast, LACP, BalanceTLB, BalanceALB, Random}
}

// Reorders reports whether frames of one conversation leave by several ports, so that
// they may arrive in another order than they were sent in.
func (m Mode) Reorders() bool { return m == BalanceRR || m == Random }

// HashPolicy is xmit_hash_policy: which fields of a frame choose its port. The
// numbers are bonding's; with HashFields set it is a list of fields, as tx_hash.
type HashPolicy uint8

// The hash policies, with bonding's names and numbers.
const (
	HashLayer2 HashPolicy = iota
	HashLayer34
	HashLayer23
	HashEncap23
	HashEncap34
	HashVLANSrcMAC
)

// String returns bonding's name of the policy, and a list of fields as tx_hash has it.
func (h HashPolicy) String() string {
	if h&HashFields != 0 {
		return h.fieldNames()
	}
	switch h {
	case HashLayer2:
		return "layer2"
	case HashLayer34:
		return "layer3+4"
	case HashLayer23:
		return "layer2+3"
	case HashEncap23:
		return "encap2+3"
	case HashEncap34:
		return "encap3+4"
	case HashVLANSrcMAC:
		return "vlan+srcmac"
	default:
		return "unknown"
	}
}

// HashMap says how a hash becomes a port.
type HashMap uint8

// Buckets spreads hashes over 256 buckets that move minimally; Modulo is the
// kernel's hash mod N.
const (
	Buckets HashMap = iota
	Modulo
)

// String returns the option's word.
func (h HashMap) String() string {
	if h == Modulo {
		return "modulo"
	}
	return "buckets"
}

// Reselect is primary_reselect: when a better port takes over from a working one.
type Reselect uint8

// The values of primary_reselect, with bonding's numbers.
const (
	ReselectAlways Reselect = iota
	ReselectBetter
	ReselectFailure
)

// String returns bonding's word.
func (r Reselect) String() string {
	switch r {
	case ReselectAlways:
		return "always"
	case ReselectBetter:
		return "better"
	case ReselectFailure:
		return "failure"
	default:
		return "unknown"
	}
}
