package agg

import (
	"net/netip"
	"slices"
)

// Facts are what a plane and the kernel report about one aggregate.
type Facts struct {
	// At is when the facts were read.
	At Instant `json:"at"`
	// Device is the aggregate's own device.
	Device DeviceFacts `json:"device"`
	// Ports are the facts of every port the plane was told of, in no promised order.
	Ports []PortFacts `json:"ports"`
	// Published is the plan read back from the plane, nil where none is in force.
	Published *Plan `json:"published,omitempty"`
	// PublishedAt is when that plan was published.
	PublishedAt Instant `json:"published_at,omitempty"`
	// Buckets are counters per entry of the published table, where the plane has them.
	Buckets []BucketFacts `json:"buckets,omitempty"`
	// Counters are the plane's own counters, by the names the plane's documentation
	// gives (drops by reason, guard redirects, backlog drops).
	Counters map[string]uint64 `json:"counters,omitempty"`
	// ForeignFilters are tc programs and filters of others that ours stand beside.
	ForeignFilters []string `json:"foreign_filters,omitempty"`
	// Unreleased says why ports that the plan does not have any more could not be given back
	// as they were. They stay taken, and every look tries again.
	Unreleased []string `json:"unreleased,omitempty"`
}

// InUse is the published plan, of which there must be one, as frames take it now: entries that
// have moved leave by what was their second choice.
func (f Facts) InUse() Plan {
	p := *f.Published
	p.Table = slices.Clone(p.Table)
	for i, b := range f.Buckets {
		if _, to := p.Move(i); b.Moved && to != "" {
			p.Table[i] = Choice{First: p.Table[i].Second, Second: p.Table[i].First}
		}
	}
	return p
}

// DeviceFacts describe the aggregate's device.
type DeviceFacts struct {
	Present bool `json:"present"`
	// Name is the aggregate's unless somebody renamed the device.
	Name    string `json:"name,omitempty"`
	Index   int    `json:"ifindex"`
	AdminUp bool   `json:"admin_up"`
	Carrier bool   `json:"carrier"`
	MAC     MAC    `json:"mac"`
	MTU     int    `json:"mtu"`
	// Promiscuous: somebody wants to hear all frames by the device, a bridge say.
	Promiscuous bool `json:"-"`
	// Elsewhere is set when the device lives in another network namespace than the ports.
	Elsewhere bool `json:"elsewhere,omitempty"`
	// Addresses are the device's own. Announcements are also made for those above it.
	Addresses []netip.Addr `json:"addresses,omitempty"`
}

// BacklogDrops is the name in Facts.Counters of the frames that the kernel dropped in full
// backlog queues, of the whole machine: the second column of /proc/net/softnet_stat.
const BacklogDrops = "backlog_drops"

// PortFacts describe one port.
type PortFacts struct {
	LinkFacts
	// TxFrames, TxBytes, RxFrames and RxBytes count what the plane moved between the
	// aggregate and the port.
	TxFrames uint64 `json:"tx_frames"`
	TxBytes  uint64 `json:"tx_bytes"`
	RxFrames uint64 `json:"rx_frames"`
	RxBytes  uint64 `json:"rx_bytes"`
	// DeviceTxFrames is the port's own interface counter since it was taken; a growing
	// difference from TxFrames means frames are lost between plane and device.
	DeviceTxFrames uint64 `json:"device_tx_frames"`
	// OwnDropped counts frames of the port's own stack that the plane refused to send.
	OwnDropped uint64 `json:"own_dropped"`
	// RxDropped counts frames that the port received while it must not receive.
	RxDropped uint64 `json:"rx_dropped"`
	// GuardMoved counts frames that the egress guard moved to the second choice.
	GuardMoved uint64 `json:"guard_moved"`
}

// LinkFacts are what the kernel says about an interface.
type LinkFacts struct {
	Name    string `json:"name"`
	Index   int    `json:"ifindex"` // 0 where the interface is absent
	Present bool   `json:"present"`
	AdminUp bool   `json:"admin_up"`
	Carrier bool   `json:"carrier"`
	// Speed is in Mb/s, 0 where unknown.
	Speed uint32 `json:"speed"`
	// FullDuplex is false also where duplex is unknown.
	FullDuplex bool `json:"full_duplex"`
	MAC        MAC  `json:"mac"`
	MTU        int  `json:"mtu"`
	// Master names the device that the interface is a port of in the kernel, if any.
	Master string `json:"-"`
	// RenamedTo is the name that the interface has now, where it was present under Name
	// before. Moved tells that it went to another network namespace. In both cases there is
	// no interface of the name.
	RenamedTo string `json:"-"`
	Moved     bool   `json:"-"`
}

// BucketFacts are the counters of one entry of a plan's table.
type BucketFacts struct {
	Frames   uint64  `json:"frames"`
	Bytes    uint64  `json:"bytes"`
	LastUsed Instant `json:"last_used,omitempty"`
	// Moved: frames leave by the second choice of an entry that [Choice.Moves].
	Moved bool `json:"moved,omitempty"`
}

// Capability says what a plane can do. There is one value a plane, checked in one
// place; docs/planes.md is generated from it.
type Capability struct {
	Plane string `json:"plane"`
	// Selectors are those the plane implements.
	Selectors []Selector `json:"selectors"`
	// Hashes are the hash policies it computes.
	Hashes []HashPolicy `json:"hashes"`
	// OutlivesDaemon: forwarding goes on when the daemon is gone.
	OutlivesDaemon bool `json:"outlives_daemon"`
	// Guard: a lost carrier moves frames to the second choice without the daemon.
	Guard bool `json:"guard"`
	// ExactCounters: the device's own counters count every frame.
	ExactCounters bool `json:"exact_counters"`
	// FastPath: the lean path can be switched on.
	FastPath bool `json:"fast_path"`
	// BucketCounters: bytes and last use are kept for each entry.
	BucketCounters bool `json:"bucket_counters"`
	// FramesAlike: the plane looks at no frame before it takes a port in turn, so the classes
	// of Plan.Unbalanced have no port of their own, and every frame changes the port.
	FramesAlike bool `json:"frames_alike,omitempty"`
	// RunsModes: a driver runs the mode, and LACP, by itself; the plane configures and watches
	// it. It cannot be blocked, and its ports have one address.
	RunsModes bool `json:"runs_modes,omitempty"`
	// DropsOwn: what the port's own stack sends is dropped and counted.
	DropsOwn bool `json:"drops_own"`
	// Unprivileged: works in a user namespace without any privilege.
	Unprivileged bool `json:"unprivileged"`
	// Lacks names, in a sentence each, what the plane cannot do on this kernel.
	Lacks []string `json:"lacks,omitempty"`
}
