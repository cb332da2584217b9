package slow

import "strings"

// State is the state octet of one end (802.1AX-2014 clause 6.4.2.3 m).
type State uint8

// The bits.
const (
	Activity        State = 1 << iota // active: speaks without being spoken to
	Timeout                           // short: wants a LACPDU every second
	Aggregation                       // aggregatable; 0 is an individual link
	Synchronization                   // on the right aggregator
	Collecting                        // the receiver is open
	Distributing                      // the sender is open
	Defaulted                         // knows nothing of the partner
	Expired                           // has not heard the partner in time
)

// Has reports whether all of bits are set.
func (s State) Has(bits State) bool { return s&bits == bits }

// With returns s with bits set or cleared.
func (s State) With(bits State, on bool) State {
	if on {
		return s | bits
	}
	return s &^ bits
}

// String returns the bits that are set as words, "active,aggregatable,in-sync".
func (s State) String() string {
	var words []string
	for i, w := range [8]string{"active", "short-timeout", "aggregatable", "in-sync", "collecting", "distributing", "defaulted", "expired"} {
		if s&(1<<i) != 0 {
			words = append(words, w)
		}
	}
	if len(words) == 0 {
		return "none"
	}
	return strings.Join(words, ",")
}

// Letters returns the form that protocol analysers use: EFDCSGSA from the highest bit
// on, a dot for a bit that is not set.
func (s State) Letters() string {
	b := []byte("EFDCSGSA")
	for i := range b {
		if s&(0x80>>i) == 0 {
			b[i] = '.'
		}
	}
	return string(b)
}
