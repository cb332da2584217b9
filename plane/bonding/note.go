package bonding

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/bootclock"
)

// noteVersion is that of the file's format.
const noteVersion = 1

// note is what the driver cannot keep for the next daemon: which plan it follows.
type note struct {
	Version int         `json:"version"`
	Boot    string      `json:"boot"`
	Device  int         `json:"ifindex"`
	Plan    *agg.Plan   `json:"plan"`
	At      agg.Instant `json:"at"`
}

// loadNote reads the note about a device. One of another device, boot or format says
// nothing about this one.
func loadNote(path string, device int) (note, error) {
	boot, err := bootclock.BootID()
	if err != nil {
		return note{}, err
	}
	fresh := note{Version: noteVersion, Boot: boot, Device: device}
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return fresh, nil
	}
	if err != nil {
		return note{}, err
	}
	var n note
	if json.Unmarshal(b, &n) != nil || n.Version != noteVersion || n.Boot != boot || n.Device != device {
		return fresh, nil
	}
	return n, nil
}

// save replaces the file by rename. It lives in memory only as long as the boot, so the
// disk is not waited for.
func (n note) save(path string) error {
	b, err := json.Marshal(n)
	if err != nil {
		return err
	}
	if err := os.WriteFile(path+".new", b, 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}
