package daemon

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"

	"github.com/yokelag/yoke/agg"
)

// listen makes the socket, 0660 and of group yoke where that group exists. A socket
// that somebody serves is refused; one that nobody serves any more is replaced.
func listen(path string) (net.Listener, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, notAllowed(fmt.Errorf("make the directory of the socket: %w", err), path)
	}
	if err := removeStale(path); err != nil {
		return nil, err
	}
	l, err := bindPrivately(path)
	if err != nil {
		return nil, notAllowed(fmt.Errorf("listen on %s: %w", path, err), path)
	}
	if err := share(path); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

func removeStale(path string) error {
	c, err := net.Dial("unix", path)
	switch {
	case err == nil:
		c.Close()
		return &agg.Problem{Code: codeServed, Object: path, Rule: "another yoked serves this socket",
			Remedy: "use that one (`yoke --socket " + path + " status`), or start this one beside it with `yoked --socket DIR/yoke.sock --state-dir DIR`"}
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case errors.Is(err, syscall.ECONNREFUSED):
		return removeSocket(path)
	default:
		return notAllowed(fmt.Errorf("ask who serves %s: %w", path, err), path)
	}
}

func removeSocket(path string) error {
	info, err := os.Lstat(path)
	if err != nil {
		return fmt.Errorf("replace %s: %w", path, err)
	}
	if info.Mode()&fs.ModeSocket == 0 {
		return &agg.Problem{Code: "not-a-socket", Object: path, Rule: "is a file and no socket", Remedy: "choose another path with --socket"}
	}
	if err := os.Remove(path); err != nil {
		return fmt.Errorf("replace %s: %w", path, err)
	}
	return nil
}

// bindPrivately listens with a mode that lets nobody else in until share decides.
func bindPrivately(path string) (net.Listener, error) {
	old := syscall.Umask(0o177)
	defer syscall.Umask(old)
	return net.Listen("unix", path)
}

// share gives the socket to the group where there is one and we may.
func share(path string) error {
	if g, err := user.LookupGroup(group); err == nil {
		gid, err := strconv.Atoi(g.Gid)
		if err != nil {
			return fmt.Errorf("group %s has id %q: %w", group, g.Gid, err)
		}
		if err := os.Chown(path, -1, gid); err != nil && !errors.Is(err, fs.ErrPermission) && !errors.Is(err, syscall.EINVAL) {
			return fmt.Errorf("give %s to group %s: %w", path, group, err)
		}
	}
	if err := os.Chmod(path, 0o660); err != nil {
		return fmt.Errorf("set the mode of %s: %w", path, err)
	}
	return nil
}
