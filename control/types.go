package control

import (
	"time"

	"github.com/yokelag/yoke/agg"
)

// Daemon describes the daemon that answers.
type Daemon struct {
	Version int `json:"version"`
	// Release is the daemon's own version.
	Release string `json:"release"`
	PID     int    `json:"pid"`
	// Namespace is the inode of its network namespace.
	Namespace uint64 `json:"network_namespace"`
	BootID    string `json:"boot_id"`
	// Started is when the daemon began to serve.
	Started  agg.Instant `json:"started"`
	Socket   string      `json:"socket"`
	StateDir string      `json:"state_dir"`
	// AutoPlane is what plane=auto would choose for a new aggregate, and Why the reason.
	AutoPlane string `json:"auto_plane"`
	AutoWhy   string `json:"auto_why,omitempty"`
	// Config is the file or directory that it reads.
	Config string `json:"config,omitempty"`
}

// StatusList is the status of several aggregates, in the order of their names.
type StatusList struct {
	Version    int          `json:"version"`
	Aggregates []agg.Status `json:"aggregates"`
	// Findings are about the daemon and its configuration, not about one aggregate.
	Findings []agg.Finding `json:"findings,omitempty"`
}

// UpRequest asks for an aggregate that does not exist yet.
type UpRequest struct {
	Spec agg.Spec `json:"spec"`
	// TakeOver moves the addresses and routes of its ports to the aggregate.
	TakeOver bool `json:"take_over,omitempty"`
	// ConfirmMS undoes it after so many milliseconds unless it is confirmed.
	ConfirmMS int64 `json:"confirm_ms,omitempty"`
	// DryRun makes all checks and no change; the answer tells in findings what would be made.
	DryRun bool `json:"dry_run,omitempty"`
}

// SetRequest asks for other values of options, all of them or none. An empty value
// unsets the option.
type SetRequest struct {
	Set map[string]string `json:"set,omitempty"`
	// Ports holds the options of single ports, by the port's name.
	Ports map[string]map[string]string `json:"ports,omitempty"`
}

// AddRequest asks for more ports.
type AddRequest struct {
	Ports []agg.PortSpec `json:"ports"`
}

// Options are the values of options that are in force, read back after a change.
type Options struct {
	Version   int           `json:"version"`
	Aggregate string        `json:"aggregate"`
	Values    []OptionValue `json:"options"`
	// Findings tell what a change has led to.
	Findings []agg.Finding `json:"findings,omitempty"`
}

// OptionValue is one option's value in canonical text.
type OptionValue struct {
	// Port is empty for an option of the aggregate.
	Port  string `json:"port,omitempty"`
	Name  string `json:"name"`
	Value string `json:"value"`
	// Set tells a value that was asked for from a default.
	Set bool `json:"set"`
}

// ExplainRequest asks which port a flow takes. With Reach set it asks instead for a
// source port, near the flow's own, with which the flow takes that port.
type ExplainRequest struct {
	// Flow is src=10.0.0.1,dst=10.0.0.2,proto=tcp,sport=40000,dport=443, as
	// wire.ParseFlow reads it.
	Flow  string `json:"flow"`
	Reach string `json:"reach,omitempty"`
}

// Explanation says which port a flow takes and why, by the table that the plane
// reports.
type Explanation struct {
	Version   int    `json:"version"`
	Aggregate string `json:"aggregate"`
	Flow      string `json:"flow"`
	// Port is the port that the flow takes, empty where it is dropped.
	Port string `json:"port"`
	// Second is the port that takes over should Port lose its carrier.
	Second string `json:"second,omitempty"`
	// Policy, Hash and Entry are how it was found: the table's entry (a bucket under
	// hash_map=buckets) of the hash. Policy is empty in modes that do not hash.
	Policy string `json:"policy,omitempty"`
	Hash   string `json:"hash,omitempty"`
	Select string `json:"select"`
	Entry  int    `json:"entry"`
	// Generation is the plan that the plane reports.
	Generation uint64 `json:"generation"`
	// Text is one sentence.
	Text string `json:"text"`
}

// Removed answers a request that took something away.
type Removed struct {
	Version int `json:"version"`
	// Names are those of the aggregates or ports that were removed.
	Names []string `json:"removed"`
}

// StreamItem is one line of the stream of events: exactly one field beside Version is
// set.
type StreamItem struct {
	Version int        `json:"version"`
	Event   *agg.Event `json:"event,omitempty"`
	// Wall is the event's time by the wall clock of now.
	Wall time.Time `json:"wall,omitzero"`
	// Lost is set where the reader asked for events that are no longer kept.
	Lost *Lost `json:"lost,omitempty"`
}

// Lost tells a reader which events it will never see.
type Lost struct {
	Aggregate string `json:"aggregate"`
	// First and Last are the sequence numbers lost, both included.
	First uint64 `json:"first"`
	Last  uint64 `json:"last"`
}

// ErrorBody is the body of every answer that is not a success.
type ErrorBody struct {
	Version  int          `json:"version"`
	Problems agg.Problems `json:"problems"`
}
