package agg

// Status is what is, with reasons. Every face of Yoke shows this one value.
type Status struct {
	Name  string `json:"name"`
	Plane string `json:"plane"`
	Mode  string `json:"mode"`
	// Summary is the first line: how many ports carry traffic, and why the others
	// do not.
	Summary string `json:"summary"`
	// Carrying and Total count ports.
	Carrying int `json:"carrying"`
	Total    int `json:"total"`
	// Active is the active port in modes that have one.
	Active string       `json:"active,omitempty"`
	Device DeviceFacts  `json:"device"`
	Plan   PlanStatus   `json:"plan"`
	Ports  []PortStatus `json:"ports"`
	// LACP is that of the aggregate in mode 802.3ad.
	LACP *LACPStatus `json:"lacp,omitempty"`
	// Findings are things an operator should know or act on.
	Findings []Finding `json:"findings,omitempty"`
	// Counters are the plane's own counters.
	Counters map[string]uint64 `json:"counters,omitempty"`
	// Capability is what the plane can do here.
	Capability Capability `json:"capability"`
	// Daemon tells whether a daemon looks after the aggregate now.
	Daemon DaemonStatus `json:"daemon"`
	// Spec is what was asked for.
	Spec Spec `json:"spec"`
	// At is when the status was made.
	At Instant `json:"at"`
}

// DaemonStatus says who looks after an aggregate.
type DaemonStatus struct {
	Running bool `json:"running"`
	PID     int  `json:"pid,omitempty"`
	// Text is a sentence: "no daemon since 12:00; forwarding by plan 41".
	Text string `json:"text,omitempty"`
}

// PlanStatus is the published plan as status shows it.
type PlanStatus struct {
	Generation uint64 `json:"generation"`
	// Order is the usable order of ports.
	Order []string `json:"order"`
	// PublishedAt and AgeMS are the time of publication and its age in milliseconds.
	PublishedAt Instant `json:"published_at"`
	AgeMS       int64   `json:"age_ms"`
	// InForce: what the plane reports equals what was asked of it.
	InForce bool `json:"in_force"`
	// Blocked as in Plan.
	Blocked bool `json:"blocked"`
	// FastPath as in Plan.
	FastPath bool   `json:"fast_path"`
	Select   string `json:"select"`
	// Reorder: frames of one conversation may arrive in another order than they were
	// sent in, because the mode sends them by several ports.
	Reorder bool `json:"reorder,omitempty"`
	// Shares is the number of table entries of each port, by name.
	Shares map[string]int `json:"shares,omitempty"`
}

// PortStatus is one port with its chain of gates.
type PortStatus struct {
	Name string `json:"name"`
	// Carrying: frames of the aggregate leave by the port.
	Carrying bool `json:"carrying"`
	// Reason is the code of the first gate that is shut, empty where all are open.
	Reason string `json:"reason,omitempty"`
	// Text says in one sentence why the port carries, or does not.
	Text  string    `json:"text"`
	Gates []Gate    `json:"gates"`
	Facts PortFacts `json:"facts"`
	// LACP is that of the port in mode 802.3ad.
	LACP *PortLACP `json:"lacp,omitempty"`
	// Failures counts carrier or watch losses since the port was taken.
	Failures uint64 `json:"failures"`
}

// The names of gates, in the order of the chain.
const (
	GatePresent = "present"
	GateAdmin   = "admin"
	GateCarrier = "carrier"
	GateWatch   = "watch"
	GateLACP    = "lacp"
	GateDevice  = "device"
	GatePolicy  = "policy"
	GatePlan    = "plan"
	GatePlane   = "plane"
)

// Gate is one condition between a port and its traffic.
type Gate struct {
	Name string `json:"name"`
	OK   bool   `json:"ok"`
	// Reason is a stable code, given also where OK ("link-up", "updelay", "backup").
	Reason string `json:"reason"`
	// Detail holds numbers for people ("212 ms of updelay left").
	Detail string `json:"detail,omitempty"`
	// Since is when OK last changed.
	Since Instant `json:"since,omitempty"`
}

// Finding is a fact an operator should know, in the form code, severity, text.
type Finding struct {
	Code     string `json:"code"`
	Severity string `json:"severity"` // "info", "warning", "error"
	Text     string `json:"text"`
	Remedy   string `json:"remedy,omitempty"`
}
