package control

import (
	"time"

	"github.com/yokelag/yoke/agg"
)

// ConfigFile is one file of aggregates as it was read.
type ConfigFile struct {
	// Path is how problems name the file; its base names a single aggregate in it that has
	// no name of its own.
	Path string `json:"path"`
	Text string `json:"text"`
}

// ApplyRequest asks that what files say be in force.
type ApplyRequest struct {
	// Files are what to apply; absent, the daemon reads its own configuration.
	Files []ConfigFile `json:"files,omitempty"`
	// DryRun shows the difference and changes nothing.
	DryRun bool `json:"dry_run,omitempty"`
	// Rebuild allows steps that take an aggregate apart and make it anew.
	Rebuild bool `json:"rebuild,omitempty"`
	// Prune takes apart the aggregates that came of a file which asks for them no more.
	Prune bool `json:"prune,omitempty"`
	// ConfirmMS undoes everything after so many milliseconds unless it is confirmed.
	ConfirmMS int64 `json:"confirm_ms,omitempty"`
}

// Effect is what a step does to traffic.
type Effect string

// The effects, from none to an interruption.
const (
	Hitless Effect = "hitless"
	Blip    Effect = "blip"
	Rebuild Effect = "rebuild"
)

// Actions of a change.
const (
	ActionCreate  = "create"
	ActionChange  = "change"
	ActionRebuild = "rebuild"
	ActionRemove  = "remove"
)

// Difference is what differs between what runs and what files say.
type Difference struct {
	Version int `json:"version"`
	// Changes are in the order in which they are made.
	Changes []Change `json:"changes"`
	// Unchanged counts the aggregates that are as the files say.
	Unchanged int `json:"unchanged"`
	// Applied: the changes were made.
	Applied  bool          `json:"applied"`
	Findings []agg.Finding `json:"findings,omitempty"`
	// Pending is set where the changes wait to be confirmed.
	Pending *Pending `json:"pending,omitempty"`
}

// Change is what becomes of one aggregate.
type Change struct {
	Aggregate string `json:"aggregate"`
	// Action is create, change, rebuild or remove.
	Action string `json:"action"`
	// File is where it is asked for, empty for remove.
	File  string `json:"file,omitempty"`
	Steps []Step `json:"steps"`
}

// Step is one value, port or device that becomes another.
type Step struct {
	Port   string `json:"port,omitempty"`
	Option string `json:"option,omitempty"`
	From   string `json:"from,omitempty"`
	To     string `json:"to,omitempty"`
	Effect Effect `json:"effect"`
	// Text is one sentence.
	Text string `json:"text"`
}

// Pending is a change that is undone unless it is confirmed.
type Pending struct {
	Version int `json:"version"`
	// Waiting is false where nothing waits; the rest is empty then.
	Waiting bool `json:"waiting"`
	// What names the command and its aggregates.
	What string `json:"what,omitempty"`
	// Aggregates are those that would change back.
	Aggregates []string `json:"aggregates,omitempty"`
	// Failed is why it could not be undone when that was tried last, empty before. It is
	// tried again until it succeeds.
	Failed string `json:"failed,omitempty"`
	// Until is when it is undone, by the wall clock of now.
	Until  time.Time `json:"until,omitzero"`
	LeftMS int64     `json:"left_ms,omitempty"`
}

// Saved answers a request to write an aggregate into the configuration.
type Saved struct {
	Version   int    `json:"version"`
	Aggregate string `json:"aggregate"`
	// Path is the file written, empty where only the text was asked for.
	Path string `json:"path,omitempty"`
	// Text is the file's content.
	Text string `json:"text"`
}

// SaveRequest asks for an aggregate as a file.
type SaveRequest struct {
	// Print asks for the text only and writes nothing.
	Print bool `json:"print,omitempty"`
}

// Readiness says whether an aggregate is as far as somebody waits for.
type Readiness struct {
	Version   int    `json:"version"`
	Aggregate string `json:"aggregate"`
	Ready     bool   `json:"ready"`
	// Text says what is there and what lacks.
	Text string `json:"text"`
}
