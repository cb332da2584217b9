package device

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"slices"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/bootclock"
)

// noteVersion is that of the file's format.
const noteVersion = 2

// Note is what a driver of the kernel cannot keep for the next daemon: which plan it
// follows, and what its plane has to remember besides, Own.
type Note[T any] struct {
	Version int         `json:"version"`
	Boot    string      `json:"boot"`
	Device  int         `json:"ifindex"`
	Plan    *agg.Plan   `json:"plan"`
	At      agg.Instant `json:"at"`
	Own     T           `json:"own"`
}

// LoadNote reads the note about a device, by its ifindex. One of another device, boot or
// format says nothing about this one.
func LoadNote[T any](path string, index int) (Note[T], error) {
	boot, err := bootclock.BootID()
	if err != nil {
		return Note[T]{}, err
	}
	fresh := Note[T]{Version: noteVersion, Boot: boot, Device: index}
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return fresh, nil
	}
	if err != nil {
		return Note[T]{}, err
	}
	var n Note[T]
	if json.Unmarshal(b, &n) != nil || n.Version != noteVersion || n.Boot != boot || n.Device != index {
		return fresh, nil
	}
	return n, nil
}

// Follows notes that the device follows a plan from now on. Where it does so already, and
// nothing was changed, that stays as it is and nothing is written.
func (n *Note[T]) Follows(path string, plan agg.Plan, changed bool) error {
	if !changed && n.Plan != nil && n.Plan.Generation == plan.Generation && n.Plan.Equal(plan) {
		return nil
	}
	plan = clonePlan(plan)
	n.Plan, n.At = &plan, agg.Instant(bootclock.Now())
	return n.save(path)
}

// Noted is a copy of the plan that was noted last; there must be one.
func (n *Note[T]) Noted() agg.Plan { return clonePlan(*n.Plan) }

func clonePlan(p agg.Plan) agg.Plan {
	p.Table, p.Ports = slices.Clone(p.Table), slices.Clone(p.Ports)
	return p
}

// save replaces the file by rename. It lives in memory only as long as the boot, so the
// disk is not waited for.
func (n *Note[T]) save(path string) error {
	b, err := json.Marshal(n)
	if err != nil {
		return err
	}
	if err := os.WriteFile(path+".new", b, 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// Forget removes the note.
func (n *Note[T]) Forget(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
