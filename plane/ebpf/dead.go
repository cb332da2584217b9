package ebpf

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/cilium/ebpf/link"
)

// DropDead removes the pins of aggregates whose network namespace has ended. They are known
// by their links: the kernel cuts a link when its interface goes, and all interfaces of an
// aggregate go at once only with the namespace. Where the kernel has no links, nothing
// tells, and nothing is removed. root is empty for the default.
func DropDead(root string) error {
	root = Options{PinRoot: root}.withDefaults().PinRoot
	dirs, err := filepath.Glob(filepath.Join(root, "*", "*"))
	if err != nil {
		return err
	}
	var errs []error
	for _, dir := range dirs {
		if isDead(dir) {
			errs = append(errs, removePinDir(root, dir))
		}
	}
	return errors.Join(errs...)
}

// isDead reports whether there are links and each has lost its interface.
func isDead(dir string) bool {
	pins, err := filepath.Glob(filepath.Join(dir, links{}.pin(hook{name: "*"})))
	if err != nil || len(pins) == 0 {
		return false
	}
	for _, pin := range pins {
		if lost, err := lostInterface(pin); err != nil || !lost {
			return false
		}
	}
	return true
}

func lostInterface(pin string) (bool, error) {
	l, err := link.LoadPinnedLink(pin, nil)
	if errors.Is(err, os.ErrNotExist) {
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("open pinned link: %w", err)
	}
	defer l.Close()
	info, err := l.Info()
	if err != nil {
		return false, err
	}
	tcx := info.TCX()
	return tcx != nil && tcx.Ifindex == 0, nil
}
