package ebpf

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/link"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/nstest"
	"github.com/yokelag/yoke/plane/port"
)

// userProgram notes the priority of frames that have one, and lets the next program
// run: what a user may have on a port. It returns the map with the note.
func userProgram(t testing.TB) (*ebpf.Program, *ebpf.Map) {
	t.Helper()
	note, err := ebpf.NewMap(&ebpf.MapSpec{Type: ebpf.Array, KeySize: 4, ValueSize: 4, MaxEntries: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { note.Close() })
	const priority = 32 // in struct __sk_buff
	p, err := ebpf.NewProgram(&ebpf.ProgramSpec{
		Name: "user_note", Type: ebpf.SchedCLS, License: "GPL",
		Instructions: asm.Instructions{
			asm.LoadMem(asm.R2, asm.R1, priority, asm.Word),
			asm.JEq.Imm(asm.R2, 0, "out"),
			asm.LoadMapValue(asm.R3, note.FD(), 0),
			asm.StoreMem(asm.R3, 0, asm.R2, asm.Word),
			asm.Mov.Imm(asm.R0, -1).WithSymbol("out"),
			asm.Return(),
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p, note
}

// addUserProgram attaches a user's program to a port, before those that are there, and
// returns its note.
func (r *rig) addUserProgram(name string, ingress bool) *ebpf.Map {
	r.Helper()
	p, note := userProgram(r)
	r.putFirst(name, ingress, p)
	return note
}

// putFirst attaches a program to a port, before those that are there.
func (r *rig) putFirst(name string, ingress bool, p *ebpf.Program) {
	r.Helper()
	if err := r.near.Run(func() error {
		l, err := link.AttachTCX(link.TCXOptions{
			Interface: r.near.Index(name), Program: p, Attach: attachType(ingress), Anchor: link.Head(),
		})
		if err == nil {
			r.Cleanup(func() { l.Close() })
		}
		return err
	}); err != nil {
		r.Fatal(err)
	}
}

// addUserFilter puts a user's own clsact qdisc and filter on a port.
func (r *rig) addUserFilter(name string) {
	r.Helper()
	h, index := r.near.Handle(), r.near.Index(name)
	if err := r.near.Run(func() error { return port.AddClsact(index) }); err != nil {
		r.Fatal(err)
	}
	p, _ := userProgram(r)
	err := h.FilterAdd(&netlink.BpfFilter{
		FilterAttrs: netlink.FilterAttrs{
			LinkIndex: index, Parent: netlink.HANDLE_MIN_EGRESS, Handle: 1, Priority: 10, Protocol: unix.ETH_P_ALL,
		},
		Fd: p.FD(), Name: "user", DirectAction: true,
	})
	if err != nil {
		r.Fatal(err)
	}
}

// snapshot is what a user sees of the links and of tc, without counters.
func (r *rig) snapshot() string {
	r.Helper()
	groups := strings.SplitAfter(nstest.Command(r, r.near, "ip", "-o", "maddr"), "\n")
	slices.Sort(groups) // the kernel lists them in the order of joining
	// One program for all questions: in an emulated machine starting one takes long. The qdisc is
	// asked for each time, to tell the answers apart.
	var questions strings.Builder
	for _, name := range r.names {
		for _, hook := range []string{"ingress", "egress"} {
			fmt.Fprintf(&questions, "qdisc show dev %s\nfilter show dev %s %s\n", name, name, hook)
		}
	}
	batch := filepath.Join(r.TempDir(), "snapshot.tc")
	if err := os.WriteFile(batch, []byte(questions.String()), 0o600); err != nil {
		r.Fatal(err)
	}
	return nstest.Command(r, r.near, "ip", "-d", "link") + strings.Join(groups, "") + nstest.Command(r, r.near, "tc", "-batch", batch)
}

// settled is the snapshot when the kernel has made all that a new interface gets: the groups
// of its IPv6 address are joined before that is no longer tentative.
func (r *rig) settled() string {
	r.Helper()
	nstest.Eventually(r, 20*time.Second, func() bool {
		addrs, err := r.near.Handle().AddrList(nil, netlink.FAMILY_V6)
		ready := map[int]bool{}
		for _, a := range addrs {
			if a.Flags&unix.IFA_F_TENTATIVE != 0 {
				return false
			}
			ready[a.LinkIndex] = true
		}
		return err == nil && !slices.ContainsFunc(r.names, func(name string) bool { return !ready[r.near.Index(name)] })
	}, "the addresses of %v", r.names)
	return r.snapshot()
}

// becomes waits until everything is as it was. The kernel joins the groups of an address
// that it has back in its own time.
func (r *rig) becomes(before string) {
	r.Helper()
	after := ""
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if after = r.snapshot(); after == before {
			return
		}
	}
	r.Errorf("before:\n%s\nafter:\n%s", before, after)
}

func TestDestroyLeavesWhatWasThere(t *testing.T) {
	nstest.Require(t, "program:ip", "program:tc")
	variants(t, func(t *testing.T, r *rig) {
		r.destroy()
		r.addUserFilter("eth0")
		before := r.settled()
		r.open()
		r.apply(r.plan(0))
		if got := r.snapshot(); got == before {
			t.Error("the aggregate changes nothing that the test looks at")
		}
		if list := r.observe().ForeignFilters; !slices.Contains(list, "eth0 egress: bpf filter, priority 10") {
			t.Errorf("foreign filters: %v", list)
		}
		r.destroy()
		r.becomes(before)
	})
}

func TestPriorityIsKeptOverTheHop(t *testing.T) {
	nstest.Require(t, "root", "bpf", "tcx", "veth", "bridge")
	r := newRig(t, Options{})
	r.ready()
	note := r.addUserProgram("eth0", false)
	if list := r.observe().ForeignFilters; len(list) != 1 || !strings.Contains(list[0], "user_note") {
		t.Errorf("foreign filters: %v", list)
	}
	r.near.Do(func() { // one datagram with a priority
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer unix.Close(fd)
		to := &unix.SockaddrInet4{Port: 9, Addr: netip.MustParseAddr(there).As4()}
		err = errors.Join(unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_PRIORITY, 5), unix.Sendto(fd, []byte("x"), 0, to))
		if err != nil {
			t.Fatal(err)
		}
	})
	var priority uint32
	nstest.Eventually(t, 10*time.Second, func() bool {
		return note.Lookup(uint32(0), &priority) == nil && priority != 0
	}, "the datagram on eth0")
	if priority != 5 {
		t.Errorf("priority 5 became %d", priority)
	}
}

func TestPortIsDeletedAndComesBack(t *testing.T) {
	variants(t, func(t *testing.T, r *rig) {
		r.ready()
		r.near.Delete("eth1")
		p := r.plan(0, "eth1")
		r.apply(p)
		r.near.MustPing(there)
		if f := r.observe(); f.Ports[1].Present || f.Ports[1].Index != 0 || !f.Published.Equal(p) {
			t.Errorf("facts %+v", f.Ports[1])
		}
		r.near.Veth("eth1", r.far, "eth1")
		if err := r.far.Handle().LinkSetMaster(r.far.Link("eth1"), r.far.Link("br0")); err != nil {
			t.Fatal(err)
		}
		r.apply(r.plan(1))
		r.near.MustPing(there)
		f := r.observe()
		if f.Ports[1].TxFrames == 0 || f.Ports[1].DeviceTxFrames != f.Ports[1].TxFrames {
			t.Errorf("sent %d, the device counts %d", f.Ports[1].TxFrames, f.Ports[1].DeviceTxFrames)
		}
	})
}

func TestPortIsRemovedFromThePlan(t *testing.T) {
	variants(t, func(t *testing.T, r *rig) {
		r.ready()
		s := r.stream(time.Millisecond)
		s.WaitReceived(20)
		p := r.plan(0)
		p.Ports, p.Table = p.Ports[:1], []agg.Choice{{First: 0, Second: agg.NoPort}}
		r.apply(p)
		s.WaitReceived(20)
		r.lossless(s.Stop())
		if list := r.plane.ports.Taken(); len(list) != 1 {
			t.Errorf("taken: %+v", list)
		}
		r.apply(r.plan(1))
		r.near.MustPing(there)
	})
}

func TestDeviceMovesToAnotherNamespace(t *testing.T) {
	variants(t, func(t *testing.T, r *rig) {
		r.ready()
		p := r.plan(0)
		p.FastPath = true
		r.apply(p)
		away := nstest.New(t)
		move(t, r.near, away)
		away.AddAddr("bond0", here+"/24")
		away.SetUp("bond0")
		f := r.observe()
		if !f.Device.Elsewhere || !f.Published.FastPath {
			t.Errorf("device %+v, fast path asked for: %v", f.Device, f.Published.FastPath)
		}
		away.MustPing(there)
		r.far.MustPing(here)
		received := func() uint64 { return away.Link("bond0").Attrs().Statistics.RxPackets }
		before := received()
		in := nstest.StartUDP(t, r.far, away, there, here, 0)
		in.SendAll(1000)
		if got := in.Stop(); got.Lost != 0 {
			t.Errorf("lost %d of %d on the way to the other namespace", got.Lost, got.Sent)
		}
		if n := received() - before; n < 1000 || n > 1020 {
			t.Errorf("the device counted %d of 1000 received frames", n)
		}
		move(t, away, r.near)
		r.near.AddAddr("bond0", here+"/24")
		r.near.SetUp("bond0")
		if f := r.observe(); f.Device.Elsewhere {
			t.Errorf("device %+v", f.Device)
		}
		before = r.txPackets("bond0")
		r.near.MustPing(there)
		s := r.stream(0)
		s.Send(100)
		s.Stop()
		if n := r.txPackets("bond0") - before; n > 20 {
			t.Errorf("the fast path is not back: the device counted %d", n)
		}
	})
}

func move(t *testing.T, from, to *nstest.NS) {
	t.Helper()
	if err := from.Handle().LinkSetNsFd(from.Link("bond0"), to.FD()); err != nil {
		t.Fatal(err)
	}
}

func TestRefusalsNameWhatIsNotBuilt(t *testing.T) {
	nstest.Require(t, "root", "bpf", "veth", "bridge")
	r := newRig(t, Options{})
	r.ready()
	want := r.observe().Published
	for what, change := range map[string]func(*agg.Plan){
		"selector":  func(p *agg.Plan) { p.Select = 99 },
		"hash":      func(p *agg.Plan) { p.Select, p.Hash = agg.SelectModulo, 99 },
		"punt":      func(p *agg.Plan) { p.Punt = agg.ClassARP },
		"micro-BFD": func(p *agg.Plan) { p.Multicast, p.Unbalanced = 0, agg.ClassBFD },
		"copies": func(p *agg.Plan) {
			p.Select, p.Table = agg.SelectBroadcast, make([]agg.Choice, agg.MaxPorts+1)
		},
	} {
		p := r.plan(1)
		change(&p)
		if err := r.near.Run(func() error { return r.plane.Apply(context.Background(), p) }); err == nil {
			t.Errorf("%s is not refused", what)
		}
	}
	if got := r.observe().Published; !got.Equal(*want) {
		t.Errorf("after refusals %+v is in force", got)
	}
}

// BenchmarkApply is the hot path: the same ports with another table.
func BenchmarkApply(b *testing.B) {
	nstest.Require(b, "root", "bpf", "veth", "bridge")
	r := newRig(b, Options{})
	r.ready()
	plans := []agg.Plan{r.plan(0), r.plan(1)}
	r.near.Do(func() {
		b.ResetTimer()
		for i := range b.N {
			if i%(slots-2) == 0 { // many at once wait for the readers of old plans
				b.StopTimer()
				r.plane.publish.grace.settle()
				b.StartTimer()
			}
			if err := r.plane.Apply(context.Background(), plans[i%2]); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// settle waits until every slot but the current one is free.
func (g *grace) settle() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for g.waiting {
		g.changed.Wait()
	}
}
