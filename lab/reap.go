package lab

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// reaper is a process that waits for the lab's end and removes what the lab could not
// remove itself because it was killed: pins and the run directory. It holds the
// namespaces meanwhile, so that their numbers, by which the pins are found, do not come
// to stand for others.
type reaper struct {
	cmd  *exec.Cmd
	hold io.Closer // its end tells that the lab has ended
}

func startReaper(binary, dir string, spaces []*space) (*reaper, error) {
	args := []string{"lab", "reap", dir}
	cmd := exec.Command(binary)
	for _, s := range spaces {
		args = append(args, strconv.FormatUint(s.inode, 10))
		cmd.ExtraFiles = append(cmd.ExtraFiles, s.fd)
	}
	cmd.Args = append(cmd.Args, args...)
	// Ctrl-C is for the lab, which cleans up better.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	hold, err := cmd.StdinPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return nil, fmt.Errorf("start the process that cleans up: %w", err)
	}
	return &reaper{cmd: cmd, hold: hold}, nil
}

// close ends the process, which finds nothing left to do.
func (r *reaper) close() error {
	_ = r.hold.Close()
	return r.cmd.Wait()
}

// Reap waits for the end of alive and then removes the run directory of a lab, and what
// its daemons pinned for the namespaces. It is what the reaper's process does.
func Reap(alive io.Reader, dir string, inodes []string) error {
	_, _ = io.Copy(io.Discard, alive)
	if _, err := os.Stat(dir); errors.Is(err, os.ErrNotExist) {
		return nil // the lab has cleaned up
	}
	// The daemons are killed with the lab, at about this moment.
	time.Sleep(300 * time.Millisecond)
	errs := []error{os.RemoveAll(dir)}
	for _, inode := range inodes {
		errs = append(errs, removePins(inode))
	}
	return errors.Join(errs...)
}

// removePins removes what plane ebpf keeps for a network namespace.
func removePins(inode string) error {
	err := os.RemoveAll(filepath.Join(pinRoot, inode))
	if errors.Is(err, os.ErrPermission) {
		return nil // root of a user namespace, whose daemons could not pin anything either
	}
	if err != nil {
		return fmt.Errorf("remove pins: %w", err)
	}
	_ = os.Remove(pinRoot) // fails where others have theirs
	return nil
}
