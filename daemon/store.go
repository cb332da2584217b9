package daemon

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/engine"
)

// stateVersion is the newest version of a state file that this daemon reads and writes.
const stateVersion = 1

// stateSuffix ends the name of a state file; journals of ports end in ".ports.json".
const stateSuffix = ".json"

// stateFile is what is kept of one aggregate for the next daemon of this boot.
type stateFile struct {
	Version   int    `json:"version"`
	BootID    string `json:"boot_id"`
	Namespace uint64 `json:"network_namespace"`
	// Configured is what the configuration file said when it was last applied, nil where
	// the aggregate came by a command. It tells an edited file from a changed aggregate.
	Configured *agg.Spec `json:"configured,omitempty"`
	// RenamedFrom is the name before, while not all of the aggregate has the new one.
	RenamedFrom string `json:"renamed_from,omitempty"`
	// Leaving: somebody asked to take it apart, and that could not be finished.
	Leaving bool `json:"leaving,omitempty"`
	// Formerly is the name that the aggregate had before somebody renamed its device, which
	// files and readers of events may still know it by.
	Formerly string `json:"formerly,omitempty"`
	// Released are ports that it gave back. One of them may be the port whose address the
	// aggregate has and keeps.
	Released []string     `json:"released,omitempty"`
	Engine   engine.Saved `json:"engine"`
}

// store keeps the state file of one aggregate. It is the engine's Store.
type store struct {
	path string
	mu   sync.Mutex
	file stateFile
	// spoken is when ports last spoke LACP.
	spoken spokenFile
}

var (
	_ engine.Store       = (*store)(nil)
	_ engine.SpokenStore = (*store)(nil)
)

func newStore(dir, name, bootID string, namespace uint64) *store {
	return &store{path: filepath.Join(dir, name+stateSuffix), spoken: spokenFile{path: filepath.Join(dir, name+spokenSuffix)},
		file: stateFile{Version: stateVersion, BootID: bootID, Namespace: namespace}}
}

// Save replaces the file by rename.
func (s *store) Save(saved engine.Saved) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	saved.BootID = s.file.BootID
	s.file.Engine = saved
	return s.write()
}

// configured remembers what the configuration file said.
func (s *store) configured(spec *agg.Spec) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.file.Configured = spec
	return s.write()
}

// said is what the configuration file said when it was last applied, nil where there was
// none.
func (s *store) said() *agg.Spec {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.file.Configured
}

// fromFile reports whether a configuration file asked for the aggregate when it was last
// applied.
func (s *store) fromFile() bool {
	return s.said() != nil
}

func (s *store) write() error {
	text, err := json.MarshalIndent(s.file, "", " ")
	if err != nil {
		return fmt.Errorf("write state %s: %w", s.path, err)
	}
	return replaceFile(s.path, append(text, '\n'))
}

// replaceFile writes a file beside path and renames it, so that a reader sees the old
// one or the new one whole, also after a power cut where the state is not in memory.
func replaceFile(path string, text []byte) error {
	temporary := path + ".new"
	f, err := os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o640)
	if err != nil {
		return fmt.Errorf("write state: %w", err)
	}
	lasting := !inMemory(f)
	_, err = f.Write(text)
	if err == nil && lasting {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(temporary, path)
	}
	if err == nil && lasting {
		err = syncDirectory(filepath.Dir(path))
	}
	if err != nil {
		return fmt.Errorf("write state: %w", err)
	}
	return nil
}

// inMemory reports whether a file is lost with the power anyway, as in /run: then there is
// nothing to sync.
func inMemory(f *os.File) bool {
	var fs unix.Statfs_t
	return unix.Fstatfs(int(f.Fd()), &fs) == nil && (fs.Type == unix.TMPFS_MAGIC || fs.Type == unix.RAMFS_MAGIC)
}

// remove forgets the aggregate.
func (s *store) remove() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := os.Remove(s.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove state: %w", err)
	}
	return s.spoken.remove()
}

// readStates reads every state file of the directory, in order of names. One that cannot be
// read, or is of a newer version, is a problem that names it, and the others are returned
// all the same. A file of another boot is left out: what it tells of is gone.
func readStates(dir, bootID string) ([]stateFile, agg.Problems, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("read state directory: %w", err)
	}
	var out []stateFile
	var problems agg.Problems
	for _, e := range entries {
		if !isState(e.Name()) {
			continue
		}
		path := filepath.Join(dir, e.Name())
		f, err := readState(path)
		if err == nil && f.BootID == bootID {
			err = f.hearSpoken(dir)
		}
		if err != nil {
			problems = append(problems, unreadable(path, err))
			continue
		}
		if f.BootID == bootID {
			out = append(out, f)
		}
	}
	slices.SortFunc(out, func(a, b stateFile) int { return strings.Compare(a.Engine.Spec.Name, b.Engine.Spec.Name) })
	return out, problems, nil
}

// unreadable is the problem of a state file that cannot be read, in its own words where err
// is one.
func unreadable(path string, err error) *agg.Problem {
	if p, ok := errors.AsType[*agg.Problem](err); ok {
		return p
	}
	return badState(path, err)
}

func badState(path string, err error) *agg.Problem {
	return &agg.Problem{Code: "bad-state", Object: path, Rule: "cannot be read: " + err.Error(),
		Remedy: "move it away and start yoked again; what it told of goes on forwarding until `ip link del NAME`"}
}

// isState tells state files from journals.
func isState(name string) bool {
	stem, ok := strings.CutSuffix(name, stateSuffix)
	return ok && !reserved(stem)
}

// reservedSuffixes end the names of journals, before ".json".
func reservedSuffixes() []string { return []string{".ports", ".team", ".bonding"} }

// reserved names would make a state file look like a plane's journal.
func reserved(name string) bool {
	return slices.ContainsFunc(reservedSuffixes(), func(suffix string) bool { return strings.HasSuffix(name, suffix) })
}

func readState(path string) (stateFile, error) {
	var f stateFile
	text, err := os.ReadFile(path)
	if err != nil {
		return f, fmt.Errorf("read state: %w", err)
	}
	var head struct {
		Version int `json:"version"`
	}
	if err := json.Unmarshal(text, &head); err != nil {
		return f, badState(path, err)
	}
	if head.Version > stateVersion {
		return f, newerState(path, head.Version, stateVersion)
	}
	if err := json.Unmarshal(text, &f); err != nil {
		return f, badState(path, err)
	}
	if f.Engine.Version > engine.SavedVersion {
		return f, newerState(path, f.Engine.Version, engine.SavedVersion)
	}
	return f, nil
}

func newerState(path string, version, known int) *agg.Problem { //nolint:unparam // every file has a version of its own
	return &agg.Problem{Code: "newer-state", Object: path,
		Rule:   fmt.Sprintf("has version %d, and this yoked reads up to %d", version, known),
		Remedy: "start the newer yoked that wrote it; forwarding goes on meanwhile"}
}
