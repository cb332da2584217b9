package rig

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/yokelag/yoke/internal/nstest"
)

// pinRoot is where plane ebpf keeps what outlives the daemon.
const pinRoot = "/sys/fs/bpf/yoke"

// The addresses of the aggregate and of its peer, by [Rig.Up].
const (
	HereAddr  = "192.0.2.1"
	ThereAddr = "192.0.2.2"
)

// Rig is a host whose ports are joined by yoked, and a peer. Neither speaks unless a
// test makes it: no IPv6, and neighbours are told and not asked for.
type Rig struct {
	T           *testing.T
	Here, There *nstest.NS
	// Bin is where the programs are, Dir the daemon's state and socket.
	Bin, Dir string
	// Log is what the daemons of this rig logged.
	Log *Journal
	// daemon is the last that was started, relay a copy of this program in the daemon's
	// namespace, nil until something is asked by Ask.
	daemon, relay *exec.Cmd
}

// NewHost makes a rig without any interface yet. The features are those of
// [nstest.Require].
func NewHost(t *testing.T, features ...string) *Rig {
	t.Helper()
	nstest.Require(t, append([]string{"root", "veth", "bridge"}, features...)...)
	r := &Rig{T: t, Bin: Programs(t), Dir: nstest.StateDir(t), Log: &Journal{}}
	r.Here, r.There = r.Space(), r.Space()
	for _, inode := range []uint64{r.Here.Space().ID().Inode, r.There.Space().ID().Inode} {
		t.Cleanup(func() {
			// Pins that a killed daemon left would keep its programs in the kernel.
			_ = os.RemoveAll(filepath.Join(pinRoot, strconv.FormatUint(inode, 10)))
			_ = os.Remove(pinRoot) // where it is empty
		})
	}
	return r
}

// New is a host and a peer back to back, by two cables: eth1 and eth2 here, far1 and
// far2 there, joined by the bridge br0.
func New(t *testing.T, features ...string) *Rig {
	t.Helper()
	r := NewHost(t, features...)
	// A veth whose own ifindex happens to be its peer's in the other namespace has its
	// carrier noticed up to a second late, and a bridge does not forward for that long.
	r.There.Veth("spare1", r.There, "spare2")
	r.Here.Veth("eth1", r.There, "far1")
	r.Here.Veth("eth2", r.There, "far2")
	r.Bridge(r.There, "br0", "far1", "far2")
	return r
}

// Space is a namespace in which nothing is said by itself.
func (r *Rig) Space() *nstest.NS {
	r.T.Helper()
	n := nstest.New(r.T)
	n.Do(func() {
		for _, which := range []string{"all", "default"} {
			SetIPv6(r.T, which, "disable_ipv6", "1")
		}
	})
	return n
}

// SetIPv6 writes a sysctl of net.ipv6.conf in the namespace of the calling thread.
func SetIPv6(t *testing.T, which, name, value string) {
	t.Helper()
	err := os.WriteFile("/proc/thread-self/root/proc/sys/net/ipv6/conf/"+which+"/"+name, []byte(value), 0)
	if err != nil && !errors.Is(err, os.ErrNotExist) { // a kernel without IPv6
		t.Fatal(err)
	}
}

// Bridge makes a bridge that joins no groups: it would do so by frames of its own.
func (r *Rig) Bridge(n *nstest.NS, name string, ports ...string) {
	r.T.Helper()
	nstest.Command(r.T, n, "ip", "link", "add", name, "type", "bridge", "mcast_snooping", "0")
	for _, port := range ports {
		nstest.Command(r.T, n, "ip", "link", "set", port, "master", name)
	}
	n.SetUp(name)
}

// Up makes bond0 of the words, gives it its address, and tells both hosts where the other
// is; peer is the interface there that has the address of the peer.
func (r *Rig) Up(peer string, words ...string) {
	r.T.Helper()
	r.Must(append([]string{"up", "bond0"}, words...)...)
	r.Here.AddAddr("bond0", HereAddr+"/24")
	r.Here.SetUp("bond0")
	r.There.AddAddr(peer, ThereAddr+"/24")
	nstest.Command(r.T, r.Here, "ip", "neigh", "replace", ThereAddr, "lladdr", r.There.MAC(peer).String(), "dev", "bond0")
	nstest.Command(r.T, r.There, "ip", "neigh", "replace", HereAddr, "lladdr", r.Here.MAC("bond0").String(), "dev", peer)
	r.Here.MustPing(ThereAddr)
}

// PinDir is where bond0 is pinned.
func (r *Rig) PinDir() string {
	return filepath.Join(pinRoot, strconv.FormatUint(r.Here.Space().ID().Inode, 10), "bond0")
}
