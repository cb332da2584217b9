package nstest

import (
	"net"
	"sync"
	"testing"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"

	"github.com/yokelag/yoke/internal/netspace"
)

// NS is one network namespace of a test. It ends with the test.
type NS struct {
	t      testing.TB
	space  *netspace.Space
	handle *netlink.Handle
	tasks  sync.WaitGroup
}

// New makes a fresh namespace with loopback up. Call [Require] with "root" first.
func New(t testing.TB) *NS {
	t.Helper()
	space, err := netspace.Create()
	if err != nil {
		t.Fatalf("network namespace for the test: %v", err)
	}
	handle, err := netlink.NewHandleAt(netns.NsHandle(space.FD()), unix.NETLINK_ROUTE)
	if err != nil {
		space.Close()
		t.Fatalf("netlink socket for the test: %v", err)
	}
	n := &NS{t: t, space: space, handle: handle}
	t.Cleanup(n.close)
	n.SetUp("lo")
	return n
}

// close waits for tasks of Go, then removes what would keep the namespace's devices
// alive for a moment longer: the kernel deletes them in its own time.
func (n *NS) close() {
	n.tasks.Wait()
	n.deleteLinks()
	n.handle.Close()
	n.space.Close()
}

func (n *NS) deleteLinks() {
	links, err := n.handle.LinkList()
	if err != nil {
		return
	}
	for _, l := range links {
		if l.Attrs().Flags&net.FlagLoopback == 0 {
			_ = n.handle.LinkDel(l) // the other end of a pair may be gone already
		}
	}
}

// Handle is a netlink handle into the namespace.
func (n *NS) Handle() *netlink.Handle { return n.handle }

// Space is the namespace itself, to enter it outside of Do.
func (n *NS) Space() *netspace.Space { return n.space }

// FD is the namespace's descriptor, as netlink.NsFd takes it.
func (n *NS) FD() int { return n.space.FD() }

// Do runs fn in the namespace, on the calling goroutine, locked to its thread. Sockets
// that fn makes stay in the namespace; goroutines that it starts are not in it (use Go).
// fn may call t.Fatal.
func (n *NS) Do(fn func()) {
	n.t.Helper()
	if err := n.space.Do(func() error { fn(); return nil }); err != nil {
		n.t.Fatal(err)
	}
}

// Run is Do for functions that can fail; it returns fn's error.
func (n *NS) Run(fn func() error) error { return n.space.Do(fn) }

// Go runs fn in the namespace on a goroutine and thread of its own. The end of the test
// waits for it, so fn must end when the test closes what it reads from.
func (n *NS) Go(fn func()) {
	n.tasks.Go(func() {
		if err := n.space.Do(func() error { fn(); return nil }); err != nil {
			n.t.Error(err)
		}
	})
}
