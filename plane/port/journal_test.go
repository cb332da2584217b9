package port

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/yokelag/yoke/internal/bootclock"
)

// A journal that a power cut has torn says nothing about the interfaces of this boot; one
// of this boot that cannot be read is no reason to forget what it says.
func TestTornJournal(t *testing.T) {
	boot, err := bootclock.BootID()
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		text string
		lost bool
	}{
		"nothing":         {"", true},
		"zeros":           {string(make([]byte, 512)), true},
		"of another boot": {`{"version": 1, "aggregate": "bond0", "boot": "0000`, true},
		"of this boot":    {`{"version": 1, "aggregate": "bond0", "boot": "` + boot + `", "ports": [{`, false},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "bond0"+Suffix)
			if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			j, err := load(path)
			if lost := err == nil && len(j.Ports) == 0; lost != c.lost {
				t.Errorf("%+v, %v", j, err)
			}
		})
	}
}
