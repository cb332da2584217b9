package daemon

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/yokelag/yoke/agg"
)

// spokenSuffix ends the name of the file beside the state that tells when ports last spoke
// LACP: a partner believes in a port for some time after that. It changes with every
// LACPDU, so it is apart from the state: a place of eight bytes for each port, by its
// number, overwritten where it is.
const spokenSuffix = ".spoken"

const spokenPlace = 8

// spokenFile is that file. It is opened when it is written first.
type spokenFile struct {
	path string
	file *os.File
}

// SaveSpoken implements engine.SpokenStore.
func (s *store) SaveSpoken(port uint16, at agg.Instant) error {
	f := &s.spoken
	if f.file == nil {
		file, err := os.OpenFile(f.path, os.O_RDWR|os.O_CREATE, 0o640)
		if err != nil {
			return fmt.Errorf("write when ports spoke: %w", err)
		}
		f.file = file
	}
	var place [spokenPlace]byte
	binary.NativeEndian.PutUint64(place[:], uint64(at))
	if _, err := f.file.WriteAt(place[:], int64(port)*spokenPlace); err != nil {
		return fmt.Errorf("write when ports spoke: %w", err)
	}
	return nil
}

func (f *spokenFile) remove() error {
	if f.file != nil {
		_ = f.file.Close() // the file goes too
		f.file = nil
	}
	if err := os.Remove(f.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove when ports spoke: %w", err)
	}
	return nil
}

// close lets go of the file and leaves it for the next daemon.
func (f *spokenFile) close() error {
	if f.file == nil {
		return nil
	}
	return f.file.Close()
}

// hearSpoken moves the ports of the saved machines on to when they spoke last.
func (f *stateFile) hearSpoken(dir string) error {
	if f.Engine.LACP == nil {
		return nil
	}
	text, err := os.ReadFile(filepath.Join(dir, f.Engine.Spec.Name+spokenSuffix))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read when ports spoke: %w", err)
	}
	for i, p := range f.Engine.LACP.System.Ports {
		at := int(p.Number) * spokenPlace
		if at+spokenPlace > len(text) {
			continue
		}
		spoken := agg.Instant(binary.NativeEndian.Uint64(text[at:]))
		f.Engine.LACP.System.Ports[i].Spoken = max(p.Spoken, spoken)
	}
	return nil
}
