package lacp

import "github.com/yokelag/yoke/agg"

// Kind is what an Input is.
type Kind string

// The kinds.
const (
	// Tick lets timers run. It is given at the deadline, after received frames.
	Tick Kind = "tick"
	// Configure replaces the configuration: Conf is set, and may name other ports. One
	// that Config.Check refuses changes nothing.
	Configure Kind = "configure"
	// LinkChanged gives the link of a port, changed or not: Port and Link are set.
	LinkChanged Kind = "link"
	// Received is a frame that a port received: Port and Frame are set.
	Received Kind = "received"
	// SendFailed takes back the LACPDU that Port was given to send.
	SendFailed Kind = "send-failed"
	// Drain empties Port for a planned removal. It leaves its aggregator without loss
	// and stays out; PortView.Drained tells when.
	Drain Kind = "drain"
	// Undrain ends that.
	Undrain Kind = "undrain"
	// Yielded says that no traffic leaves by Port any more, of which PortView.Yields said
	// that it gives its place to a better one.
	Yielded Kind = "yielded"
)

// Input is one thing that happens. It is a value that can be written down: the same
// inputs to an equal System give the same outputs.
type Input struct {
	// At never goes back.
	At   agg.Instant `json:"at"`
	Kind Kind        `json:"kind"`
	// Port is a number.
	Port  uint16  `json:"port,omitempty"`
	Link  Link    `json:"link,omitzero"`
	Frame []byte  `json:"frame,omitempty"`
	Conf  *Config `json:"config,omitempty"`
}

// Link is what matters of a port's link.
type Link struct {
	// Up is port_enabled: the port can send and receive.
	Up bool `json:"up,omitempty"`
	// Speed is in Mb/s, 0 where unknown.
	Speed uint32 `json:"speed,omitempty"`
	// FullDuplex is false also where unknown. A link of known speed that is not full
	// duplex does not speak LACP.
	FullDuplex bool `json:"full_duplex,omitempty"`
}

// half reports half duplex. A driver that knows neither speed nor duplex is trusted.
func (l Link) half() bool { return l.Speed != 0 && !l.FullDuplex }

// Output is what a step asks for. Its slices belong to the System and are valid until
// its next step.
type Output struct {
	// Replan: what System.Port says of receivers or senders, or System.Carrier, has
	// changed. The plan is to be published before Send is sent, so that a receiver is
	// open before the partner hears of it.
	Replan bool
	// ReadLinks: a port that is down has received a frame. Its link should be read.
	ReadLinks bool
	Send      []Send
	// Moves are the transitions of the step, in order.
	Moves []Move
}

// Send is a frame to send.
type Send struct {
	Port uint16
	// Frame is whole but for the FCS.
	Frame []byte
	// Behind is set for a marker, which must queue behind the data of the port. All
	// other frames go at control priority.
	Behind bool
	// LACPDU tells LACPDUs from markers.
	LACPDU bool
}

// Move is one transition.
type Move struct {
	At   agg.Instant `json:"at"`
	Port uint16      `json:"port"`
	Row  Row         `json:"row"`
	// From and To are the standard's names.
	From string `json:"from"`
	To   string `json:"to"`
}

// String returns the move as one line of a transcript.
func (m Move) String() string {
	return m.Row.String() + " " + m.Row.Info().Machine + " " + m.From + " -> " + m.To
}
