package lab

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// farewell is how long a program in a lab that goes may take to end by itself.
const farewell = 2 * time.Second

// endResidents ends what still runs in the hosts, but their daemons, which are ended in
// their own way: programs of `yoke lab exec`, and those which they left in the background.
// A namespace lives as long as one of them.
func (l *Lab) endResidents() {
	held := l.residents()
	defer func() {
		for _, fd := range held {
			_ = unix.Close(fd)
		}
	}()
	for _, how := range []unix.Signal{unix.SIGTERM, unix.SIGKILL} {
		for _, fd := range held {
			_ = unix.PidfdSendSignal(fd, how, nil, 0) // gone already, or somebody else's
		}
		end := time.Now().Add(farewell)
		held = slices.DeleteFunc(held, func(fd int) bool {
			ended := awaitEnd(fd, time.Until(end))
			if ended {
				_ = unix.Close(fd)
			}
			return ended
		})
	}
}

// residents are descriptors of the processes in the hosts. A descriptor stands for one
// process, while its number may come to stand for another.
func (l *Lab) residents() []int {
	var out []int
	processes, _ := filepath.Glob("/proc/[0-9]*") // the pattern is valid
	for _, dir := range processes {
		pid, err := strconv.Atoi(filepath.Base(dir))
		if err != nil || !l.inHost(pid) {
			continue
		}
		fd, err := unix.PidfdOpen(pid, 0)
		if err != nil {
			continue // it has ended
		}
		if !l.inHost(pid) {
			_ = unix.Close(fd)
			continue
		}
		out = append(out, fd)
	}
	return out
}

// inHost reports whether a process is in the namespace of a host and not its daemon.
func (l *Lab) inHost(pid int) bool {
	var st unix.Stat_t
	if pid == os.Getpid() || unix.Stat("/proc/"+strconv.Itoa(pid)+"/ns/net", &st) != nil {
		return false
	}
	for _, h := range l.hosts {
		if h.space.inode == st.Ino {
			return h.daemon == nil || !h.daemon.running() || h.daemon.cmd.Process.Pid != pid
		}
	}
	return false
}

// awaitEnd waits for the end of a process, and reports whether it has ended.
func awaitEnd(pidfd int, most time.Duration) bool {
	end := time.Now().Add(most)
	for {
		p := []unix.PollFd{{Fd: int32(pidfd), Events: unix.POLLIN}}
		n, err := unix.Poll(p, int(max(0, time.Until(end)).Milliseconds()))
		if err == nil {
			return n > 0
		}
		if err != unix.EINTR {
			return false
		}
	}
}
