package capture

import (
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/lacp"
	"github.com/yokelag/yoke/lacp/trace"
)

// File is what a file holds: the Trace of a ring, or frames that somebody captured.
type File struct {
	// Aggregate is the one that the trace is of.
	Aggregate string
	// Boot is the wall time of the boot clock's zero, in a file of captured frames that of
	// an hour before the first.
	Boot  time.Time
	Trace *trace.Trace
	// Frames are those of slow protocols, in the order of the file, and Others counts what
	// was left out.
	Frames []trace.Captured
	Others int
}

// Time words an instant of the file as the wall clock had it.
func (f File) Time(i agg.Instant) string {
	return f.Boot.Add(time.Duration(i)).UTC().Format("2006-01-02 15:04:05.000000")
}

// What stands in comments. Version is that of the whole file.
const (
	kind    = "yoke-lacp-ring"
	version = 1
)

type sectionComment struct {
	Kind      string            `json:"kind"`
	Version   int               `json:"version"`
	Aggregate string            `json:"aggregate"`
	Boot      time.Time         `json:"boot"`
	Config    lacp.Config       `json:"config"`
	Saved     lacp.Saved        `json:"saved"` // without ports
	Rest      lacp.SnapshotRest `json:"rest"`
}

type interfaceComment struct {
	Number uint16 `json:"number"`
	// Saved and Rest are absent for a port that came later.
	Saved *lacp.SavedPort    `json:"saved,omitempty"`
	Rest  *lacp.SnapshotPort `json:"rest,omitempty"`
}

// packetComment is a step, or the sending of its packet.
type packetComment struct {
	Step *step `json:"step,omitempty"`
	Send *send `json:"send,omitempty"`
}

type step struct {
	At   agg.Instant  `json:"at"`
	Kind lacp.Kind    `json:"kind"`
	Port uint16       `json:"port,omitempty"`
	Link *lacp.Link   `json:"link,omitempty"`
	Conf *lacp.Config `json:"config,omitempty"`
	// Frame: the input is the frame of this packet.
	Frame bool   `json:"frame,omitempty"`
	Moves []move `json:"moves,omitempty"`
}

// move has the stable id of the row.
type move struct {
	Port uint16 `json:"port"`
	Row  string `json:"row"`
	From string `json:"from"`
	To   string `json:"to"`
}

type send struct {
	Port   uint16 `json:"port"`
	Behind bool   `json:"behind,omitempty"`
	LACPDU bool   `json:"lacpdu,omitempty"`
}
