package agg

import (
	"slices"
	"time"
)

// Limits of a plan. They size the tables of every plane.
const (
	// MaxPorts is the largest number of ports of one aggregate.
	MaxPorts = 64
	// NumBuckets is the length of the table under hash_map=buckets.
	NumBuckets = 256
)

// Pause is for how long an entry was not used when its traffic changes the port, so that no
// frame of a flow overtakes another on the way. See [Choice.Moves].
const Pause = 20 * time.Millisecond

// NoPort is the index of no port, in a Choice and in a Plan.
const NoPort = -1

// Selector is how a plane turns a frame into an entry of a plan's table.
type Selector uint8

// The selectors. Planes implement those their capability names.
const (
	// SelectFixed always takes entry 0.
	SelectFixed Selector = iota
	// SelectBuckets takes the entry of BucketOf(hash).
	SelectBuckets
	// SelectModulo takes entry hash mod len(table).
	SelectModulo
	// SelectRoundRobin walks the table, PacketsPerPort frames an entry.
	SelectRoundRobin
	// SelectRandom takes any entry.
	SelectRandom
	// SelectBroadcast sends a copy to every entry.
	SelectBroadcast
)

// String names the selector in status and errors.
func (s Selector) String() string {
	switch s {
	case SelectFixed:
		return "fixed"
	case SelectBuckets:
		return "buckets"
	case SelectModulo:
		return "modulo"
	case SelectRoundRobin:
		return "round-robin"
	case SelectRandom:
		return "random"
	case SelectBroadcast:
		return "broadcast"
	default:
		return "unknown"
	}
}

// FrameClass is a set of kinds of frames that are treated apart from ordinary ones.
type FrameClass uint32

// The classes. A class in Plan.Punt goes to the daemon, a class in Plan.Copy leaves on
// all ports that transmit, a class in Plan.Unbalanced by the port Plan.Multicast. They
// look at the type in the frame and, behind it, at one IP header without extensions: a
// tag inside the frame hides what is behind it, one beside the frame does not.
const (
	ClassSlow     FrameClass = 1 << iota // slow protocols: LACP, Marker (802.3 annex 57A)
	ClassARP                             // ARP, any operation
	ClassBFD                             // micro-BFD (RFC 7130)
	ClassNeighbor                        // ARP and IPv6 neighbour discovery
	ClassIGMP                            // IGMP over IPv4
	ClassGroup                           // a multicast or broadcast destination address
	ClassNotIP                           // neither IPv4 nor IPv6
)

// Plan is what a plane must do now: a whole value, computed from state every time.
// Two plans with equal fields other than Generation do the same.
type Plan struct {
	// Generation counts published plans of one aggregate and only grows.
	Generation uint64 `json:"generation"`
	// Mode is for display; planes act on the fields below.
	Mode Mode `json:"mode"`
	// Blocked makes the plane drop every frame in both directions.
	Blocked bool `json:"blocked"`
	// Carrier is the carrier of the aggregate's device.
	Carrier bool `json:"carrier"`
	// FastPath allows the plane to bypass the device's own counters.
	FastPath bool `json:"fast_path"`
	// MAC is the address of the aggregate.
	MAC MAC `json:"mac"`
	// MTU is the MTU of the aggregate in bytes.
	MTU int `json:"mtu"`
	// Select says how a frame becomes an entry of Table.
	Select Selector `json:"select"`
	// Hash is used by SelectBuckets and SelectModulo.
	Hash HashPolicy `json:"hash"`
	// PacketsPerPort is used by SelectRoundRobin: how many frames in a row one port sends.
	// Each processor counts for itself. Below 1 counts as 1.
	PacketsPerPort int `json:"packets_per_port,omitempty"`
	// Table holds the choices: 1 entry for SelectFixed, NumBuckets for SelectBuckets,
	// one for each usable port otherwise. An empty table drops.
	Table []Choice `json:"table"`
	// Multicast is the index of the port for the classes of Unbalanced, or NoPort where
	// the table decides for all frames. Second tells which port takes over from it.
	Multicast  int        `json:"multicast"`
	Unbalanced FrameClass `json:"unbalanced,omitempty"`
	// Punt and Copy are the classes that leave the ordinary path.
	Punt FrameClass `json:"punt,omitempty"`
	Copy FrameClass `json:"copy,omitempty"`
	// Ports are in configured order. Choices are indexes into it.
	Ports []PlanPort `json:"ports"`
}

// Choice is one entry of a plan's table: indexes into Plan.Ports.
type Choice struct {
	// First is the port that carries the entry now, or NoPort.
	First int `json:"first"`
	// Second takes over where First has lost its carrier before a new plan is
	// published, or NoPort.
	Second int `json:"second"`
	// Moves: the entry, of a table of buckets, is on its way from First to Second, both of which
	// are ports. The first frame after a [Pause] leaves by Second, and so do all from then on.
	// The plane sees the pause when that frame comes, so that none comes between the look and
	// the move. Each port takes over from the other where that has lost its carrier.
	Moves bool `json:"moves,omitempty"`
}

// PlanPort is one port's part of a plan.
type PlanPort struct {
	Name  string `json:"name"`
	Index int    `json:"ifindex"` // the kernel's ifindex, 0 where the device is absent
	// Transmit allows frames of the aggregate to leave by the port.
	Transmit bool `json:"transmit"`
	// Receive passes frames from the port to the aggregate ("collecting"). A port that
	// does not receive drops, after packet sockets on the port have seen the frame.
	Receive bool `json:"receive"`
	// SourceMAC is written over the source address of transmitted frames, unless zero.
	SourceMAC MAC `json:"source_mac,omitzero"`
	// MAC is the address that the port's interface has, zero where it is that of the plan.
	MAC MAC `json:"mac,omitzero"`
	// Order is the place in the usable order, from 0, or NoPort.
	Order int `json:"order"`
	// QueueID is the transmit queue whose frames leave by this port while it transmits,
	// whatever the selector says; 0 is none.
	QueueID int `json:"queue_id,omitempty"`
}

// Equal reports whether two plans do the same; generations are not compared.
func (p Plan) Equal(q Plan) bool {
	p.Generation, q.Generation = 0, 0
	return p.scalars() == q.scalars() && equalSlices(p.Table, q.Table) && equalSlices(p.Ports, q.Ports)
}

type planScalars struct {
	mode                       Mode
	blocked, carrier, fastPath bool
	mac                        MAC
	mtu                        int
	selector                   Selector
	hash                       HashPolicy
	packets, multicast         int
	punt, copied, unbalanced   FrameClass
}

func (p Plan) scalars() planScalars {
	return planScalars{
		p.Mode, p.Blocked, p.Carrier, p.FastPath, p.MAC, p.MTU, p.Select, p.Hash,
		p.PacketsPerPort, p.Multicast, p.Punt, p.Copy, p.Unbalanced,
	}
}

func equalSlices[T comparable](a, b []T) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// PortByName returns the index of the named port, or NoPort.
func (p Plan) PortByName(name string) int {
	for i := range p.Ports {
		if p.Ports[i].Name == name {
			return i
		}
	}
	return NoPort
}

// PortMAC is the address that the interface of a port, by its index, has; zero where it
// keeps its own.
func (p Plan) PortMAC(port int) MAC {
	if m := p.Ports[port].MAC; !m.IsZero() {
		return m
	}
	return p.MAC
}

// BucketOf spreads a 32-bit hash over the NumBuckets buckets: the top eight bits of
// the product with 2^32 divided by the golden ratio, so that hashes that differ only
// in a few bits (layer2 of consecutive addresses) still spread. Every plane computes
// exactly this.
func BucketOf(hash uint32) int { return int(hash * 0x9E3779B1 >> 24) }

// Second returns the index of the port that takes over from the given one for frames
// that the table does not place: the second choice of the first entry that the port
// carries, or NoPort.
func (p Plan) Second(port int) int {
	for _, c := range p.Table {
		if c.First == port {
			return c.Second
		}
	}
	return NoPort
}

// Moving reports whether entries of the plan move.
func (p Plan) Moving() bool {
	return slices.ContainsFunc(p.Table, func(c Choice) bool { return c.Moves })
}

// GoesOn reports whether an entry moves as it does in the plan before, between the same ports:
// where it has moved, it stays so.
func (p Plan) GoesOn(before Plan, entry int) bool {
	from, to := p.Move(entry)
	wasFrom, wasTo := before.Move(entry)
	return p.Select == before.Select && from != "" && from == wasFrom && to == wasTo
}

// Move names the ports between which an entry moves; it is empty where the entry does not.
func (p Plan) Move(entry int) (from, to string) {
	if entry >= len(p.Table) || !p.Table[entry].Moves {
		return "", ""
	}
	c := p.Table[entry]
	if c.First < 0 || c.First >= len(p.Ports) || c.Second < 0 || c.Second >= len(p.Ports) {
		return "", ""
	}
	return p.Ports[c.First].Name, p.Ports[c.Second].Name
}

// Entry returns the index into Table for a hash, or NoPort where the table is empty.
func (p Plan) Entry(hash uint32) int {
	switch {
	case len(p.Table) == 0:
		return NoPort
	case p.Select == SelectBuckets:
		return BucketOf(hash)
	case p.Select == SelectModulo:
		return int(hash % uint32(len(p.Table)))
	default:
		return 0
	}
}
