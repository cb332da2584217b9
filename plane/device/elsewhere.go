package device

import (
	"errors"
	"fmt"
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
// namespace that has a name.
func spaceOf(nsid int) (*netspace.Space, error) {
	s, _, err := namedSpaceOf(nsid)
	return s, err
}

func namedSpaceOf(nsid int) (space *netspace.Space, path string, err error) {
	err = netspace.Each(func(s *netspace.Space, at string) bool {
		found := hasID(s, nsid)
		if found {
			space, path = s, at
		}
		return found
	})
	if err == nil && space == nil {
		err = errUnnamed
	}
	return space, path, err
}

func hasID(s *netspace.Space, nsid int) bool {
	id, err := netlink.GetNetNsIdByFd(s.FD())
	return err == nil && id == nsid
}

// atOuter runs fn in the namespace of the outer end. It is called in that of the inner.
func (p *Pair) atOuter(fn func() error) error {
	if !p.Elsewhere {
		return fn()
	}
	there, err := spaceOf(p.nsid)
	if err != nil {
		return err
	}
	defer there.Close()
	return there.Do(fn)
}

// Whereabouts says in words in which network namespace the aggregate's device is, and the
// words of a command that run another there. Both are empty where it is in ours.
func Whereabouts(aggregate string) (text, inside string, err error) {
	p, found, err := Find(aggregate)
	if err != nil || !found {
		return "", "", err
	}
	defer p.Close()
	err = p.do("look for", func() error {
		if p.Elsewhere {
			text, inside = whereabouts(p.nsid)
		}
		return nil
	})
	return text, inside, err
}

func whereabouts(nsid int) (text, inside string) {
	s, path, err := namedSpaceOf(nsid)
	if err != nil {
		return "a network namespace that no process and no file in /run/netns names", ""
	}
	defer s.Close()
	if name, ok := strings.CutPrefix(path, "/run/netns/"); ok {
		return "network namespace " + shown(name), "ip netns exec " + shown(name)
	}
	pid, _, ok := strings.Cut(strings.TrimPrefix(path, "/proc/"), "/")
	if !ok || pid == "self" {
		return fmt.Sprintf("network namespace %d", s.ID().Inode), ""
	}
	command, err := os.ReadFile(filepath.Join("/proc", pid, "comm"))
	if err != nil {
		command = []byte("it has ended")
	}
	return fmt.Sprintf("the network namespace of process %s (%s)", pid, shown(strings.TrimSpace(string(command)))), "nsenter -t " + pid + " -n"
}
