package agg

// Event is one thing that happened to an aggregate. Seq grows by one an event and
// survives restarts, so that a reader can resume and is told what it lost.
type Event struct {
	Seq       uint64  `json:"seq"`
	Time      Instant `json:"time"`
	Aggregate string  `json:"aggregate"`
	Port      string  `json:"port,omitempty"`
	// Kind is a stable word: "carrier", "watch", "active", "plan", "port", "plane",
	// "announce", "config", "daemon", "lacp".
	Kind string `json:"kind"`
	// Cause is a stable reason code.
	Cause string `json:"cause,omitempty"`
	From  string `json:"from,omitempty"`
	To    string `json:"to,omitempty"`
	// Text is one sentence for people.
	Text string `json:"text"`
}
