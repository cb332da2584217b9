package netspace

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Each calls f with every network namespace that has a name, once: a file in /run/netns, a
// descriptor of ours, or that of a process; path is that name. It ends when f has found what
// it looks for. A namespace is closed when f returns, unless f found it there: then it is the
// caller's. Those that are not ours to look at are left out.
func Each(f func(s *Space, path string) (found bool)) error {
	tried, inodes := map[ID]bool{}, map[uint64]bool{}
	for _, list := range []func() ([]string, error){glob("/run/netns/*"), glob("/proc/self/fd/*"), ofProcesses} {
		paths, err := list()
		if err != nil {
			return err
		}
		for _, path := range paths {
			if strings.HasPrefix(path, "/proc/self/fd/") && !isNamespace(path) {
				continue // opening a descriptor's path may block or do harm
			}
			if inode, ok := inodeOf(path); ok && inodes[inode] {
				continue // most processes are in one of few, and to open it costs more than all else
			}
			s, err := Open(path)
			if err != nil {
				continue // it ended, or it is not ours to look at
			}
			inodes[s.ID().Inode] = true
			if !tried[s.ID()] && f(s, path) {
				return nil
			}
			tried[s.ID()] = true
			s.Close()
		}
	}
	return nil
}

func glob(pattern string) func() ([]string, error) {
	return func() ([]string, error) { return filepath.Glob(pattern) }
}

// ofProcesses lists the links of all processes, of which there may be thousands, without a
// look into the directories of each.
func ofProcesses() (paths []string, err error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	for _, e := range entries {
		if _, err := strconv.ParseUint(e.Name(), 10, 32); err == nil {
			paths = append(paths, filepath.Join("/proc", e.Name(), "ns/net"))
		}
	}
	return paths, nil
}

func isNamespace(path string) bool {
	_, ok := inodeOf(path)
	return ok
}

// inodeOf reads which namespace a link of /proc leads to, without opening it. A file in
// /run/netns does not tell.
func inodeOf(path string) (uint64, bool) {
	target, err := os.Readlink(path)
	if err != nil {
		return 0, false
	}
	text, ok := strings.CutPrefix(target, "net:[")
	if !ok {
		return 0, false
	}
	inode, err := strconv.ParseUint(strings.TrimSuffix(text, "]"), 10, 64)
	return inode, err == nil
}
