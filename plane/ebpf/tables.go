package ebpf

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/cilium/ebpf"

	"github.com/yokelag/yoke/agg"
)

// layout is the version of the maps that this program writes. Maps of a newer one are
// left alone.
const layout = 3

// Sizes of the maps, as in bpf/layout.h.
const (
	slots    = 8
	nowhere  = 255
	moves    = agg.MaxPorts // added to the first choice of an entry that moves
	anyPlace = 0
	single   = agg.NumBuckets // the choice behind the last entry of a table
)

// openTables opens the pinned maps of dir, or creates them. The layout is written last,
// so that a crash in the middle leaves something that is made anew.
func openTables(shared *Programs, dir string) (t yokeMaps, adopted bool, err error) {
	version, pinned, err := pinnedLayout(dir)
	switch {
	case err != nil:
		return t, false, err
	case pinned && version > layout:
		return t, false, &agg.Problem{
			Code: "newer-layout", Object: dir,
			Rule:   fmt.Sprintf("was made by a newer yoked (map layout %d; this one knows %d)", version, layout),
			Remedy: "run that version, or take the aggregate down with it first",
		}
	case version != layout:
		if err := removePinDir(dir, dir); err != nil {
			return t, false, err
		}
	}
	if err := makePinDir(dir); err != nil {
		return t, false, err
	}
	spec, err := shared.tables()
	if err != nil {
		return t, false, err
	}
	for _, m := range spec.Maps {
		m.Pinning = ebpf.PinByName
	}
	if err := spec.LoadAndAssign(&t, &ebpf.CollectionOptions{Maps: ebpf.MapOptions{PinPath: dir}}); err != nil {
		return t, false, fmt.Errorf("open maps in %s: %w", dir, err)
	}
	if version == layout {
		return t, true, nil
	}
	if err := t.YokeLayout.Put(uint32(0), uint32(layout)); err != nil {
		t.Close()
		return t, false, fmt.Errorf("write map layout: %w", err)
	}
	return t, false, nil
}

// isTable tells the maps of the aggregate from the constants of programs.
func isTable(name string) bool { return len(name) > 0 && name[0] != '.' }

// pinnedLayout returns the layout version pinned in dir, 0 where making it was not
// finished.
func pinnedLayout(dir string) (version uint32, pinned bool, err error) {
	path := filepath.Join(dir, yokeMapYokeLayout)
	if _, err := os.Stat(path); err != nil {
		return 0, false, nil //nolint:nilerr // nothing pinned
	}
	m, err := ebpf.LoadPinnedMap(path, nil)
	if err != nil {
		return 0, false, fmt.Errorf("open pinned map %s: %w", path, err)
	}
	defer m.Close()
	if err := m.Lookup(uint32(0), &version); err != nil {
		return 0, false, fmt.Errorf("read map layout: %w", err)
	}
	return version, true, nil
}

// tablesByName are the tables that programs know, by their names there.
func tablesByName(t *yokeMaps) map[string]*ebpf.Map {
	return map[string]*ebpf.Map{
		yokeMapYokeAway:    t.YokeAway,
		yokeMapYokeCurrent: t.YokeCurrent,
		yokeMapYokeDrops:   t.YokeDrops,
		yokeMapYokeEntries: t.YokeEntries,
		yokeMapYokeIdle:    t.YokeIdle,
		yokeMapYokeMoves:   t.YokeMoves,
		yokeMapYokePlans:   t.YokePlans,
		yokeMapYokePorts:   t.YokePorts,
		yokeMapYokeTurn:    t.YokeTurn,
	}
}
