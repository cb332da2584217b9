//go:build !planted_match && !planted_limit && !planted_moved

package lacp

// The bugs that can be planted, so that the simulation in sim/lag shows that it would find
// them. A build has at most one, by its tag; `make sim` plants them in turn.
const (
	plantedMatch = false // recordPDU takes a partner to be in sync that sees somebody else
	plantedLimit = false // the Transmit machine has no limit
	plantedMoved = false // a port that is down keeps the record of a partner whose cable was moved
)
