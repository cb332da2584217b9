package daemon

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/control"
)

// A power cut between any two steps of writing a file leaves the old one or the new one,
// and the new one only once it is on the disk; a step that fails leaves nothing behind.
func TestASavedFileIsTheOldOrTheNew(t *testing.T) {
	const old, new = "mode: balance-xor\n", "mode: active-backup\nports: [eth1, eth2]\n"
	full := errors.New("no space left on device")
	var steps []string
	for failing := 0; ; failing++ {
		dir := t.TempDir()
		path := filepath.Join(dir, "bond0.yaml")
		if err := os.WriteFile(path, []byte(old), 0o600); err != nil {
			t.Fatal(err)
		}
		steps = nil
		err := writeInSteps(path, []byte(new), func(name string, f func() error) error {
			wantContent(t, path, old, new, slices.Contains(steps, "sync") && slices.Contains(steps, "rename"))
			if len(steps) == failing {
				return full
			}
			steps = append(steps, name)
			return f()
		})
		if err == nil {
			wantContent(t, path, old, new, true)
			break
		}
		var problem *agg.Problem
		if !errors.As(err, &problem) || problem.Code != "cannot-save" || problem.Remedy == "" {
			t.Errorf("step %d: %v", failing, err)
		}
		wantContent(t, path, old, new, slices.Contains(steps, "rename"))
		if left, _ := os.ReadDir(dir); len(left) != 1 {
			t.Errorf("step %d left %v", failing, left)
		}
	}
	if want := []string{"create", "write", "mode", "sync", "close", "rename", "sync directory"}; !slices.Equal(steps, want) {
		t.Errorf("the steps are %v", steps)
	}
}

func wantContent(t *testing.T, path, old, new string, renamed bool) {
	t.Helper()
	want := old
	if renamed {
		want = new
	}
	if text, err := os.ReadFile(path); err != nil || string(text) != want {
		t.Errorf("the file is %q, %v; want %q", text, err, want)
	}
}

// A file that could not be written is not remembered as what the aggregate is.
func TestAFailedSaveIsNotRemembered(t *testing.T) {
	r := newRig(t, "eth1", "eth2")
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	r.o.Config = filepath.Join(file, "conf") // which cannot be made
	s := serving(t, r)
	if err := s.registry.up(t.Context(), aSpec(t, "bond0", "eth1"), origin{}); err != nil {
		t.Fatal(err)
	}
	a, err := s.registry.get("bond0")
	if err != nil {
		t.Fatal(err)
	}
	earlier := aSpec(t, "bond0", "eth1", "eth2")
	for _, was := range []*agg.Spec{nil, &earlier} {
		if err := a.store.configured(was); err != nil {
			t.Fatal(err)
		}
		_, err := s.save(asked(t, "bond0", control.SaveRequest{}))
		refused(t, err, "cannot-save", file)
		kept, err := readState(a.store.path)
		if a.store.said() != was || err != nil || (kept.Configured == nil) != (was == nil) {
			t.Errorf("it remembers %v, and in the file %v, %v; want %v", a.store.said(), kept.Configured, err, was)
		}
	}
}
