package ebpf

import (
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/yokelag/yoke/internal/nstest"
)

// Where the daemon has mounts of its own that hide the bpf file system, pins go to the
// host's or nowhere: one mounted here would end with the daemon.
func TestHiddenBPFFileSystemIsNotReplaced(t *testing.T) {
	nstest.Require(t, "root", "bpf", "bpffs")
	type answer struct {
		root string
		err  error
	}
	answers := make(chan answer)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread and its mounts end here
		if err := hideBPF(); err != nil {
			answers <- answer{err: err}
			return
		}
		root := defaultPinRoot()
		answers <- answer{root, makePinDir(root + "/test-hidden")}
	}()
	a := <-answers
	if a.err == nil {
		defer removePinDir(bpfMount+"/yoke", bpfMount+"/yoke/test-hidden")
		if !strings.HasPrefix(a.root, hostRoot) {
			t.Errorf("pins would go to %s", a.root)
		}
		return
	}
	if !strings.Contains(a.err.Error(), "is no bpf file system here") {
		t.Errorf("got %v", a.err)
	}
}

// hideBPF gives the thread mounts of its own, with an empty directory in the place of
// the bpf file system.
func hideBPF() error {
	if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
		return err
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return err
	}
	return unix.Mount("tmpfs", bpfMount, "tmpfs", 0, "")
}
