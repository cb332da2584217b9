// Package announce is what the network is told after a failover: gratuitous ARP and
// unsolicited neighbour advertisements for every address of the aggregate and of what
// stands above it, and reports of the multicast groups joined there, so that switches learn
// the new way. [State] counts how often and when, [Advertise] and [Rejoin] write the
// frames; sending them is the engine's.
package announce
