package agg

// FailOverMAC says who carries which address in active-backup. The numbers are bonding's.
type FailOverMAC int8

// The policies.
const (
	// MACOnlyActive: the active port has the aggregate's address, the others their own.
	MACOnlyActive FailOverMAC = iota - 1
	// MACSame: all ports have the aggregate's address.
	MACSame
	// MACActive: ports keep their own, and the aggregate takes that of the active port.
	MACActive
	// MACFollow: the active port has the aggregate's address, and the port that it came
	// from has that of the active one, so that no two are the same.
	MACFollow
)
