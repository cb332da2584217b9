package daemon

import (
	"fmt"
	"os"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/features"
	"golang.org/x/sys/unix"
)

// bpfFS is where plane ebpf keeps what outlives the daemon.
const bpfFS = "/sys/fs/bpf"

// hostBPF is the same as the host sees it, which a mount namespace of our own may hide.
const hostBPF = "/proc/1/root" + bpfFS

func isBPF(path string) bool {
	var fs unix.Statfs_t
	return unix.Statfs(path, &fs) == nil && fs.Type == unix.BPF_FS_MAGIC
}

// choosePlane tells what plane=auto means on this machine. It is the one place that
// decides; the choice for an aggregate is made once and saved. Where mayMount is set it
// mounts the BPF file system that is missing; who only reads must not.
func choosePlane(mayMount bool) (name, why string) {
	if err := features.HaveProgramType(ebpf.SchedCLS); err != nil {
		return "user", fmt.Sprintf("the kernel refuses tc programs: %v", err)
	}
	if !hostMounts() && isBPF(hostBPF) {
		return "ebpf", "the kernel takes tc programs, and the host's " + bpfFS + " keeps them"
	}
	var fs unix.Statfs_t
	if err := unix.Statfs(bpfFS, &fs); err != nil {
		return "user", fmt.Sprintf("%s: %v", bpfFS, err)
	}
	if fs.Type != unix.BPF_FS_MAGIC {
		if !hostMounts() {
			return "user", "no BPF file system is mounted on " + bpfFS + ", and one mounted here would end with this daemon's mount namespace"
		}
		if !mayMount {
			return "ebpf", "the kernel takes tc programs; the daemon mounts " + bpfFS
		}
		if err := unix.Mount("bpf", bpfFS, "bpf", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, "mode=0700"); err != nil {
			return "user", fmt.Sprintf("no BPF file system is mounted on %s, and it cannot be: %v", bpfFS, err)
		}
		return "ebpf", "the kernel takes tc programs; mounted " + bpfFS
	}
	return "ebpf", "the kernel takes tc programs, and " + bpfFS + " keeps them"
}

// hostMounts reports whether this process sees the mounts of process 1, so that what it
// mounts outlives it.
func hostMounts() bool {
	own, err1 := os.Readlink("/proc/self/ns/mnt")
	first, err2 := os.Readlink("/proc/1/ns/mnt")
	return err1 == nil && err2 == nil && own == first
}
