package nstest

import (
	"errors"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/link"
	"github.com/cilium/ebpf/rlimit"
	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"

	"github.com/yokelag/yoke/internal/netspace"
)

// feature is one thing a test may need: what it is in words, whether the project's CI
// machine must have it, and how to find out.
type feature struct {
	name, words string
	inCI        bool
	probe       func() error
}

func features() []feature {
	return []feature{
		{"root", "privilege: root (CAP_NET_ADMIN and CAP_SYS_ADMIN)", true, probeRoot},
		{"netns", "kernel feature: network namespaces", true, probeRoot},
		{"veth", "kernel feature: veth devices", true, probeLink(&netlink.Veth{LinkAttrs: named("p0"), PeerName: "p1"})},
		{"bridge", "kernel feature: bridge devices", true, probeLink(&netlink.Bridge{LinkAttrs: named("p0")})},
		{"bridgevlan", "kernel feature: bridges that filter VLANs", false, probeBridgeVLAN},
		{"macvlan", "kernel feature: macvlan devices", true, probeMacvlan},
		{"dummy", "kernel feature: dummy devices", false, probeLink(&netlink.Dummy{LinkAttrs: named("p0")})},
		{"vlan", "kernel feature: 802.1Q devices", false, probeVLAN},
		{"tun", "kernel feature: /dev/net/tun", true, probeTun},
		{"bpf", "kernel feature: BPF programs for tc (and the privilege to load them)", true, probeBPF},
		{"tcx", "kernel feature: tcx (Linux 6.6)", true, probeTCX},
		{"clsact", "kernel feature: the clsact qdisc", false, probeClsact},
		{"bpffs", "file system: bpf on /sys/fs/bpf", true, probeBPFFS},
		{"matchall", "kernel feature: the matchall filter", false, probeMatchall},
		{"bonding", "kernel feature: the bonding driver", false, probeLink(&netlink.GenericLink{LinkAttrs: named("p0"), LinkType: "bond"})},
		{"team", "kernel feature: the team driver", false, probeLink(&netlink.GenericLink{LinkAttrs: named("p0"), LinkType: "team"})},
		{"userns", "privilege: user namespaces for ordinary users", false, probeUserns},
	}
}

// Require skips the test where one of the named features is missing, and says which.
// The features are root, netns, veth, bridge, bridgevlan, macvlan, dummy, vlan, tun, bpf, tcx,
// clsact, bpffs, matchall, team and userns, and "program:NAME" for a program on the PATH. With
// CI=true in the environment a feature that the project's CI machine has must be there,
// and any program: then its absence fails the test. With
// YOKE_UNPRIVILEGED=1 the test is skipped whatever is there, as it would be for an
// ordinary user: `make check` leaves it to `make check-root`.
func Require(t testing.TB, wanted ...string) {
	t.Helper()
	if os.Getenv("YOKE_UNPRIVILEGED") == "1" {
		t.Skipf("needs %s, left to make check-root: YOKE_UNPRIVILEGED=1", strings.Join(wanted, ", "))
	}
	for _, name := range wanted {
		f, ok := featureOf(name)
		if !ok {
			t.Fatalf("nstest.Require: there is no feature %q", name)
		}
		if err := probed(f); err != nil {
			missing(t, f, err)
		}
	}
}

// Missing is Require for what a test finds out by itself: it skips the test that lacks
// what words name, as "kernel feature: a tc program that sees its device", and fails it
// in CI, whose machine has it.
func Missing(t testing.TB, words string, why error) {
	t.Helper()
	missing(t, feature{words: words, inCI: true}, why)
}

func missing(t testing.TB, f feature, why error) {
	t.Helper()
	if f.inCI && os.Getenv("CI") == "true" {
		t.Fatalf("missing %s, which the CI machine must have: %v", f.words, why)
	}
	t.Skipf("missing %s: %v", f.words, why)
}

func featureOf(name string) (feature, bool) {
	if program, ok := strings.CutPrefix(name, "program:"); ok {
		return feature{name, "program: " + program, true, func() error {
			_, err := exec.LookPath(program)
			return err
		}}, true
	}
	all := features()
	i := slices.IndexFunc(all, func(f feature) bool { return f.name == name })
	if i < 0 {
		return feature{}, false
	}
	return all[i], true
}

// probed asks each feature once a process.
func probed(f feature) error {
	results.Lock()
	defer results.Unlock()
	err, known := results.of[f.name]
	if !known {
		err = f.probe()
		results.of[f.name] = err
	}
	return err
}

var results = struct { //nolint:gochecknoglobals // a cache for tests
	sync.Mutex
	of map[string]error
}{of: map[string]error{}}

func named(name string) netlink.LinkAttrs {
	a := netlink.NewLinkAttrs()
	a.Name = name
	return a
}

func probeRoot() error {
	s, err := netspace.Create()
	if err != nil {
		return err
	}
	return s.Close()
}

// inScratch runs fn in a namespace of its own, with a handle into it.
func inScratch(fn func(*netlink.Handle) error) error {
	s, err := netspace.Create()
	if err != nil {
		return err
	}
	defer s.Close()
	h, err := netlink.NewHandleAt(netns.NsHandle(s.FD()), unix.NETLINK_ROUTE)
	if err != nil {
		return err
	}
	defer h.Close()
	return s.Do(func() error { return fn(h) })
}

func probeLink(l netlink.Link) func() error {
	return func() error { return inScratch(func(h *netlink.Handle) error { return h.LinkAdd(l) }) }
}

// onVeth is inScratch with a veth pair p0-p1.
func onVeth(fn func(h *netlink.Handle, p0 netlink.Link) error) error {
	return inScratch(func(h *netlink.Handle) error {
		if err := h.LinkAdd(&netlink.Veth{LinkAttrs: named("p0"), PeerName: "p1"}); err != nil {
			return err
		}
		l, err := h.LinkByName("p0")
		if err != nil {
			return err
		}
		return fn(h, l)
	})
}

func probeMacvlan() error {
	return onVeth(func(h *netlink.Handle, p0 netlink.Link) error {
		a := named("m0")
		a.ParentIndex = p0.Attrs().Index
		return h.LinkAdd(&netlink.Macvlan{LinkAttrs: a, Mode: netlink.MACVLAN_MODE_PASSTHRU})
	})
}

func probeBridgeVLAN() error {
	filters := true
	return probeLink(&netlink.Bridge{LinkAttrs: named("p0"), VlanFiltering: &filters})()
}

func probeVLAN() error {
	return onVeth(func(h *netlink.Handle, p0 netlink.Link) error {
		a := named("v0")
		a.ParentIndex = p0.Attrs().Index
		return h.LinkAdd(&netlink.Vlan{LinkAttrs: a, VlanId: 7, VlanProtocol: netlink.VLAN_PROTOCOL_8021Q})
	})
}

func probeTun() error {
	return inScratch(func(*netlink.Handle) error {
		fd, err := openTap("p0")
		if err != nil {
			return err
		}
		return unix.Close(fd)
	})
}

// passProgram is a tc program that does nothing.
func passProgram() (*ebpf.Program, error) {
	_ = rlimit.RemoveMemlock() // needed before Linux 5.11 only; loading says whether it was
	return ebpf.NewProgram(&ebpf.ProgramSpec{
		Type:         ebpf.SchedCLS,
		Instructions: asm.Instructions{asm.Mov.Imm(asm.R0, -1), asm.Return()},
		License:      "Dual BSD/GPL",
	})
}

func probeBPF() error {
	p, err := passProgram()
	if err != nil {
		return err
	}
	return p.Close()
}

func probeTCX() error {
	return onVeth(func(_ *netlink.Handle, p0 netlink.Link) error {
		p, err := passProgram()
		if err != nil {
			return err
		}
		defer p.Close()
		l, err := link.AttachTCX(link.TCXOptions{Interface: p0.Attrs().Index, Program: p, Attach: ebpf.AttachTCXEgress})
		if err != nil {
			return err
		}
		return l.Close()
	})
}

func addClsact(h *netlink.Handle, l netlink.Link) error {
	return h.QdiscAdd(&netlink.Clsact{QdiscAttrs: netlink.QdiscAttrs{
		LinkIndex: l.Attrs().Index, Handle: netlink.MakeHandle(0xffff, 0), Parent: netlink.HANDLE_CLSACT,
	}})
}

func probeClsact() error { return onVeth(addClsact) }

func probeBPFFS() error {
	const where = "/sys/fs/bpf"
	var fs unix.Statfs_t
	if err := unix.Statfs(where, &fs); err != nil {
		return err
	}
	if fs.Type != unix.BPF_FS_MAGIC {
		return errors.New("another file system is there; `mount -t bpf bpf " + where + "` as root")
	}
	return nil
}

func probeMatchall() error {
	return onVeth(func(h *netlink.Handle, p0 netlink.Link) error {
		if err := addClsact(h, p0); err != nil {
			return err
		}
		return h.FilterAdd(&netlink.MatchAll{FilterAttrs: netlink.FilterAttrs{
			LinkIndex: p0.Attrs().Index, Parent: netlink.HANDLE_MIN_INGRESS, Priority: 1, Protocol: unix.ETH_P_ALL,
		}})
	})
}

// probeUserns asks the switches that distributions have, without making a namespace:
// a Go process cannot unshare its user namespace.
func probeUserns() error {
	for file, off := range map[string]string{
		"/proc/sys/kernel/unprivileged_userns_clone":             "0\n",
		"/proc/sys/kernel/apparmor_restrict_unprivileged_userns": "1\n",
		"/proc/sys/user/max_user_namespaces":                     "0\n",
	} {
		if b, err := os.ReadFile(file); err == nil && string(b) == off {
			return errors.New(file + " forbids it")
		}
	}
	_, err := os.Stat("/proc/self/ns/user")
	return err
}
