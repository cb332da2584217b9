package demo

import (
	"time"

	"github.com/yokelag/yoke/lab"
)

// Result is what the demo measured. Fields that are nil were not measured; Notes say
// why.
type Result struct {
	// Version is 1.
	Version    int         `json:"version"`
	Aggregates []Aggregate `json:"aggregates"`
	// Bare is the throughput of a plain link on the same switch.
	Bare Throughput `json:"bare"`
	// Took is the duration of the whole demo.
	Took time.Duration `json:"took_ns"`
}

// Aggregate is what was measured on one aggregate.
type Aggregate struct {
	Name  string `json:"name"`
	Mode  string `json:"mode"`
	Plane string `json:"plane"`
	// Guard and OutlivesDaemon are the plane's capabilities on this kernel.
	Guard          bool `json:"guard"`
	OutlivesDaemon bool `json:"outlives_daemon"`
	// Out are the frames to the peer, In those from it.
	Out Failover `json:"out"`
	In  Failover `json:"in"`
	// Flows is what a pull did to the flows, nil where it was not measured.
	Flows *Flows `json:"flows,omitempty"`
	// Kill, DeadPull and Restart are what kill -9, a pull while no daemon ran, and the
	// next daemon's start cost.
	Kill     *Loss `json:"kill,omitempty"`
	DeadPull *Loss `json:"dead_pull,omitempty"`
	Restart  *Loss `json:"restart,omitempty"`
	// NextPull is a pull after the restart.
	NextPull *Loss `json:"next_pull,omitempty"`
	// Throughput is that of one TCP connection.
	Throughput Throughput `json:"throughput"`
}

// Failover is what pulled cables cost one direction.
type Failover struct {
	Pulls  int           `json:"pulls"`
	Median time.Duration `json:"median_ns"`
	Worst  time.Duration `json:"worst_ns"`
	// Lost counts frames lost after the pulls and the plugs, of Sent.
	Lost int `json:"lost"`
	Sent int `json:"sent"`
	// Open counts pulls whose outage did not end before the next event.
	Open int `json:"open,omitempty"`
}

// Flows tells which flows a pull moved to another cable.
type Flows struct {
	Seen int `json:"seen"`
	// OnPulled used the cable that was pulled; Moved use another cable now.
	OnPulled int `json:"on_pulled"`
	Moved    int `json:"moved"`
}

// Loss is what an event cost, until the next one.
type Loss struct {
	Out lab.Outage `json:"out"`
	In  lab.Outage `json:"in"`
}

// Throughput is in bits a second, the best of Rounds.
type Throughput struct {
	To     float64 `json:"to_peer"`
	From   float64 `json:"from_peer"`
	Rounds int     `json:"rounds"`
}
