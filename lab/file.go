package lab

import (
	"time"

	"github.com/yokelag/yoke/agg"
)

// File is a lab: what stands, what happens, and what is expected.
type File struct {
	// Version is 1.
	Version int `yaml:"version"`
	// Name is the lab's short name.
	Name string `yaml:"name"`
	// Text says in one sentence what the lab shows.
	Text string `yaml:"text"`
	// Hosts, Switches and Cables are by name.
	Hosts    map[string]Host   `yaml:"hosts"`
	Switches map[string]Switch `yaml:"switches"`
	Cables   map[string]Cable  `yaml:"cables"`
	// Probes are streams of numbered frames, by name.
	Probes map[string]Probe `yaml:"probes"`
	// Duration is how long the probes send.
	Duration Duration `yaml:"duration"`
	// Faults happen at their time after the first probe frame.
	Faults []Fault `yaml:"faults"`
	// Expect is what must hold at the end.
	Expect []Expectation `yaml:"expect"`
}

// Host is a network namespace.
type Host struct {
	// Aggregates are by name, in the words of the daemon's own configuration.
	Aggregates map[string]Aggregate `yaml:"aggregates"`
	// Addresses are in CIDR form, by device.
	Addresses map[string][]string `yaml:"addresses"`
	// Routes are gateways, by destination in CIDR form or "default".
	Routes map[string]string `yaml:"routes"`
	// Forward makes the host an IPv4 router.
	Forward bool `yaml:"forward"`
}

// Aggregate is an aggregate of a host.
type Aggregate struct {
	Spec agg.Spec
}

// Switch joins cables.
type Switch struct {
	// Kind is "bridge", a Linux bridge; "lacp", a switch in the lab's own process that speaks
	// LACP by Yoke's machines; or "ovs", Open vSwitch with its userspace datapath.
	Kind string `yaml:"kind"`
	// Groups are port groups: lists of cables that lead to one aggregate. Frames from a
	// member never leave by another, and a flooded frame leaves by one only. Those of a
	// bridge are static, those of the other kinds speak LACP.
	Groups map[string][]string `yaml:"groups"`
	// LACPRate is how often the groups ask to be spoken to: "slow" or empty for every 30 s,
	// "fast" for every second. Passive groups speak only when they are spoken to.
	LACPRate string `yaml:"lacp_rate"`
	Passive  bool   `yaml:"passive"`
	// IgnoreMarkers makes a switch of kind lacp answer no Marker, as Open vSwitch.
	IgnoreMarkers bool `yaml:"ignore_markers"`
	// UplinkTracking names the cables of a bridge that are uplinks: while none of them has
	// carrier the switch takes it from all its other cables.
	UplinkTracking []string `yaml:"uplink_tracking"`
}

// Cable joins two ends.
type Cable struct {
	// Ends are HOST:DEVICE, or the name of a switch.
	Ends []string `yaml:"ends"`
}

// Probe is a stream of numbered UDP datagrams.
type Probe struct {
	// From and To are hosts.
	From string `yaml:"from"`
	To   string `yaml:"to"`
	// Address is where it goes, the first address of To where empty.
	Address string `yaml:"address"`
	// Rate is in datagrams a second, 1000 where 0, at most 20000.
	Rate int `yaml:"rate"`
	// Size is the payload in bytes, 32 where 0, 24 to 1400.
	Size int `yaml:"size"`
	// Flows is the number of source ports that take turns, 1 where 0, at most 256.
	Flows int `yaml:"flows"`
	// Burst makes flows pause, as those of applications do: so many flows as AtOnce says, 1
	// where 0, take turns until each has sent Burst frames, and then so many others. 0 lets
	// all flows take turns for ever.
	Burst  int `yaml:"burst"`
	AtOnce int `yaml:"at_once"`
}

// Fault is one thing that happens.
type Fault struct {
	// At is the time after the first probe frame.
	At Duration `yaml:"at"`
	// Do is what: see the constants.
	Do Action `yaml:"do"`
	// Cable is where, for all but kill, start, ungroup and regroup.
	Cable string `yaml:"cable"`
	// Host is whose daemon, for kill and start.
	Host string `yaml:"host"`
	// Switch and Group are whose, for ungroup and regroup.
	Switch string `yaml:"switch"`
	Group  string `yaml:"group"`
	// From limits lose, duplicate, reorder, delay, rate and heal to frames from that end, a
	// host or switch, and speed to what that host sees; empty means both.
	From string `yaml:"from"`
	// Percent of frames that lose, duplicate and reorder take, 100 where 0.
	Percent int `yaml:"percent"`
	// Delay is what delay adds to a frame.
	Delay Duration `yaml:"delay"`
	// Rate is what rate leaves of the cable, in Mb/s. A frame that would wait for more
	// than 50 ms is dropped.
	Rate int `yaml:"rate"`
	// Speed is what hosts see after speed, in Mb/s. It bounds nothing; see Rate.
	Speed int `yaml:"speed"`
}

// Action is what a fault does.
type Action string

// The actions.
const (
	// Pull takes the carrier away at both ends of a cable, Plug gives it back.
	Pull Action = "pull"
	Plug Action = "plug"
	// Lose drops frames silently, Duplicate sends them twice, Reorder sends them behind
	// the next one, Delay holds them, and Rate lets only so much pass. They add up; Heal
	// ends them all.
	Lose      Action = "lose"
	Duplicate Action = "duplicate"
	Reorder   Action = "reorder"
	Delay     Action = "delay"
	Rate      Action = "rate"
	Heal      Action = "heal"
	// Speed takes the carrier for a moment, as a cable that settles anew does, and gives
	// it back with another speed for ethtool to tell. Only tap devices can do so, so the
	// cable has such at its hosts, and needs /dev/net/tun.
	Speed Action = "speed"
	// Remove deletes the cable's devices, Insert makes them anew.
	Remove Action = "remove"
	Insert Action = "insert"
	// Kill ends a host's daemon with SIGKILL, Start starts it again.
	Kill  Action = "kill"
	Start Action = "start"
	// Ungroup makes a switch of kind lacp or ovs forget a group: its cables lead to no
	// partner any more. Regroup makes it known again.
	Ungroup Action = "ungroup"
	Regroup Action = "regroup"
)

// Expectation is a bound. Exactly one of Probe, Port and Aggregate is set.
type Expectation struct {
	// Probe names a stream.
	Probe string `yaml:"probe"`
	// Lost, Duplicates and Reordered are the most frames of that kind.
	Lost       *int `yaml:"lost"`
	Duplicates *int `yaml:"duplicates"`
	Reordered  *int `yaml:"reordered"`
	// LostMin is the fewest frames lost, for labs that prove that a break breaks.
	LostMin *int `yaml:"lost_min"`
	// Failover is the longest outage after any fault.
	Failover *Duration `yaml:"failover"`

	// Port is HOST:DEVICE.
	Port string `yaml:"port"`
	// Bounds of the interface's own frame counters over the run.
	TxMin *uint64 `yaml:"tx_min"`
	TxMax *uint64 `yaml:"tx_max"`
	RxMin *uint64 `yaml:"rx_min"`
	RxMax *uint64 `yaml:"rx_max"`

	// Aggregate is HOST:NAME. What its daemon says of it is asked at the end of the run.
	Aggregate string `yaml:"aggregate"`
	// Carrier is that of its device, Carrying how many ports carry.
	Carrier  *bool `yaml:"carrier"`
	Carrying *int  `yaml:"carrying"`
	// Reason is how the code begins for which a port does not carry.
	Reason string `yaml:"reason"`
}

// Duration is a time.Duration that is written as 100ms or 1.5s.
type Duration time.Duration

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Duration) UnmarshalText(b []byte) error {
	v, err := time.ParseDuration(string(b))
	*d = Duration(v)
	return err
}

// MarshalText implements encoding.TextMarshaler.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }
