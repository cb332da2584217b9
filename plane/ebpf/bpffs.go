package ebpf

import (
	"fmt"
	"os"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

// bpfMount is where the kernel's bpf file system is mounted by custom, and hostRoot the
// file system as the first process of the machine sees it.
const (
	bpfMount = "/sys/fs/bpf"
	hostRoot = "/proc/1/root"
)

// defaultPinRoot is on the host's bpf file system also where the daemon has a mount
// namespace of its own, which may show another one, or none (`ip netns exec` hides it).
// A pin in a private one would die with the daemon.
func defaultPinRoot() string {
	if ownMounts() && isDir(hostRoot+bpfMount) && !sameFile(bpfMount, hostRoot+bpfMount) {
		return hostRoot + bpfMount + "/yoke"
	}
	return bpfMount + "/yoke"
}

// ownMounts reports whether the calling thread's mount namespace is not the host's. Where
// the first process may not be looked at it cannot be told, and is taken for one of our
// own: what is mounted there could end with the daemon, and forwarding with it.
func ownMounts() bool {
	mine, err := os.Readlink("/proc/thread-self/ns/mnt")
	if err != nil {
		return true
	}
	host, err := os.Readlink("/proc/1/ns/mnt")
	return err != nil || mine != host
}

func isDir(path string) bool {
	st, err := os.Stat(path)
	return err == nil && st.IsDir()
}

func sameFile(a, b string) bool {
	x, errA := os.Stat(a)
	y, errB := os.Stat(b)
	return errA == nil && errB == nil && os.SameFile(x, y)
}

// mountAbove returns the customary mount that dir is below, empty where it is below
// none.
func mountAbove(dir string) string {
	for _, mount := range []string{bpfMount, hostRoot + bpfMount} {
		if strings.HasPrefix(dir, mount+"/") {
			return mount
		}
	}
	return ""
}

// mountBPF mounts the bpf file system on one of the customary places, which must be an
// empty directory, in the mount namespace that the place belongs to.
func mountBPF(mount string) error {
	entries, err := os.ReadDir(mount)
	if err != nil || len(entries) > 0 {
		return noBPF(mount, "is not a bpf file system and cannot be made one")
	}
	if mount == bpfMount {
		if ownMounts() {
			p := noBPF(mount, "is no bpf file system here, and one that the daemon mounts in a mount namespace of its own would die with it, and forwarding too")
			p.Remedy = "give yoked the host's mounts, as `nsenter --net=/run/netns/NAME yoked` does and `ip netns exec` does not; or take `plane=user`"
			return p
		}
		return mountHere()
	}
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		done <- mountAtHost()
	}()
	return <-done
}

func mountAtHost() error {
	f, err := os.Open("/proc/1/ns/mnt")
	if err != nil {
		return fmt.Errorf("open the host's mount namespace: %w", err)
	}
	defer f.Close()
	if err := unix.Unshare(unix.CLONE_FS); err != nil {
		return fmt.Errorf("leave the shared root: %w", err)
	}
	if err := unix.Setns(int(f.Fd()), unix.CLONE_NEWNS); err != nil {
		return fmt.Errorf("enter the host's mount namespace: %w", err)
	}
	return mountHere()
}

func mountHere() error {
	const flags = unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC
	if err := unix.Mount("bpf", bpfMount, "bpf", flags, "mode=0700"); err != nil {
		return fmt.Errorf("mount the bpf file system on %s: %w", bpfMount, err)
	}
	return nil
}
