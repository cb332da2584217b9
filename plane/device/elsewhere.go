package device

import (
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/vishvananda/netlink"

	"github.com/yokelag/yoke/internal/netspace"
)

// errUnnamed: an nsid can be read through, but not written through or opened, so a
// change needs a name for the namespace.
var errUnnamed = errors.New("it is in a network namespace that no process and no file in /run/netns names; " +
	"change it from inside that namespace")

// spaceOf opens the namespace that has the id in ours, by asking for the id of every
// namespace that has a name: in /run/netns, of a process, or a descriptor of ours.
func spaceOf(nsid int) (*netspace.Space, error) {
	tried := map[netspace.ID]bool{}
	for _, pattern := range []string{"/run/netns/*", "/proc/self/fd/*", "/proc/[0-9]*/ns/net"} {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			return nil, err
		}
		for _, path := range paths {
			if strings.HasPrefix(path, "/proc/self/fd/") && !isNetNS(path) {
				continue // opening a descriptor's path may block or do harm
			}
			s, err := netspace.Open(path)
			if err != nil {
				continue // it ended, or it is not ours to look at
			}
			if !tried[s.ID()] && hasID(s, nsid) {
				return s, nil
			}
			tried[s.ID()] = true
			s.Close()
		}
	}
	return nil, errUnnamed
}

func isNetNS(path string) bool {
	target, err := os.Readlink(path)
	return err == nil && strings.HasPrefix(target, "net:[")
}

func hasID(s *netspace.Space, nsid int) bool {
	id, err := netlink.GetNetNsIdByFd(s.FD())
	return err == nil && id == nsid
}
