package ebpf

import "testing"

// What a device has sent since it was taken never wraps, and goes on from what we have sent
// where its driver began to count anew.
func TestBaseOf(t *testing.T) {
	for name, c := range map[string]struct{ base, counter, ours, sent uint64 }{
		"taken just now":       {500, 500, 0, 0},
		"on":                   {500, 730, 230, 230},
		"lost some":            {500, 700, 230, 200},
		"younger than ours":    {^uint64(0) - 99, 20, 120, 120}, // 100 frames were sent by the place before
		"begun anew":           {500, 3, 230, 230},
		"begun anew, and idle": {500, 0, 0, 0},
	} {
		base := baseOf(c.base, c.counter, c.ours)
		if sent := c.counter - base; sent != c.sent {
			t.Errorf("%s: it has sent %d, want %d", name, sent, c.sent)
		}
		if again := baseOf(base, c.counter+7, c.ours+7); again != base {
			t.Errorf("%s: then the base moves again, from %d to %d", name, base, again)
		}
	}
}
