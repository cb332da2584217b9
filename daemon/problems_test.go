package daemon

import "testing"

// A name that would make a state file look like a journal is refused, and the refusal
// names every such ending.
func TestReservedNamesAreNamed(t *testing.T) {
	r := newRig(t, "eth1")
	r.start()
	for _, suffix := range reservedSuffixes() {
		_, err := r.up("lag"+suffix, "eth1")
		refused(t, err, "invalid-name", suffix)
	}
	r.mustUp("lag.tc", "eth1")
}
