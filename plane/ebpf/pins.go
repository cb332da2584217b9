package ebpf

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/netspace"
)

// pinDir returns the directory of the aggregate's pins in the calling thread's network
// namespace: interface names are unique there only.
func pinDir(root, name string) (string, error) {
	space, err := netspace.Current()
	if err != nil {
		return "", err
	}
	defer space.Close()
	return filepath.Join(root, strconv.FormatUint(space.ID().Inode, 10), pinName(name)), nil
}

// pinName turns an interface name into a name that a bpf file system takes: it allows
// no dots.
func pinName(name string) string {
	return strings.NewReplacer("%", "%25", ".", "%2e").Replace(name)
}

// makePinDir creates dir and mounts the bpf file system where nobody has. Pins
// elsewhere would die with the daemon's mount namespace or with the daemon.
func makePinDir(dir string) error {
	if mount := mountAbove(dir); mount != "" && !onBPF(mount) {
		if err := mountBPF(mount); err != nil {
			return err
		}
	}
	if !onBPF(existing(dir)) {
		return noBPF(dir, "pins must lie on a bpf file system, which this is not")
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make directory for pins: %w", err)
	}
	return nil
}

func noBPF(object, rule string) *agg.Problem {
	return &agg.Problem{Code: "no-bpffs", Object: object, Rule: rule, Remedy: "`mount -t bpf bpf " + bpfMount + "`"}
}

// existing returns the nearest ancestor of path that exists.
func existing(path string) string {
	for path != "/" {
		if _, err := os.Stat(path); err == nil {
			return path
		}
		path = filepath.Dir(path)
	}
	return path
}

func onBPF(path string) bool {
	var st unix.Statfs_t
	return unix.Statfs(path, &st) == nil && st.Type == unix.BPF_FS_MAGIC
}

// removePinDir removes the aggregate's directory, and those above it that are empty
// then, up to and with root.
func removePinDir(root, dir string) error {
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("remove pins: %w", err)
	}
	for d := filepath.Dir(dir); strings.HasPrefix(d, root); d = filepath.Dir(d) {
		if err := os.Remove(d); err != nil {
			if errors.Is(err, os.ErrNotExist) {
				continue
			}
			break // others live there
		}
	}
	return nil
}
