package ebpf

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// Rename moves the pins of an aggregate whose plane is closed to another name; forwarding
// goes on meanwhile. It may be repeated after a crash.
func Rename(options Options, to string) error {
	options = options.withDefaults()
	old, err := pinDir(options.PinRoot, options.Name)
	if err != nil {
		return err
	}
	fresh, err := pinDir(options.PinRoot, to)
	if err != nil {
		return err
	}
	if _, err := os.Stat(old); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	// What an aggregate of that name left: its device is gone, or the name were not free.
	if err := os.RemoveAll(fresh); err != nil {
		return fmt.Errorf("remove old pins: %w", err)
	}
	if err := os.Rename(old, fresh); err != nil {
		return fmt.Errorf("move pins: %w", err)
	}
	return nil
}
