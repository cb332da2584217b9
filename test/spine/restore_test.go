package spine

import (
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/link"
	"github.com/vishvananda/netlink"

	"github.com/yokelag/yoke/internal/nstest"
	"github.com/yokelag/yoke/test/rig"
)

// newTalkative is newHost with IPv6 and all that the kernel does with it.
func newTalkative(t *testing.T, features ...string) *host {
	t.Helper()
	r := emptyHost(t, features...)
	for _, n := range []*nstest.NS{r.Here, r.There} {
		n.Do(func() {
			for _, which := range []string{"all", "default", "lo"} {
				rig.SetIPv6(t, which, "disable_ipv6", "0")
				rig.SetIPv6(t, which, "dad_transmits", "0") // no waiting for addresses
			}
		})
	}
	r.There.Veth("spare1", r.There, "spare2")
	r.Here.Veth("eth1", r.There, "far1")
	r.Here.Veth("eth2", r.There, "far2")
	r.Bridge(r.There, "br0", "far1", "far2")
	return r
}

// After `yoke down` everything is as it was before `yoke up`: with traffic and a pulled
// cable in between, whatever state the ports were in, and with programs of somebody
// else on a port, which stay in force all the time.
func TestDownRestoresEverything(t *testing.T) {
	states := []struct {
		name string
		set  []string // ip link set eth1 ...
	}{
		{"up", nil},
		{"down", []string{"down"}},
		{"odd MTU", []string{"mtu", "1432"}},
		{"jumbo MTU, promiscuous", []string{"mtu", "9000", "promisc", "on"}},
		{"all multicast, own address", []string{"allmulticast", "on", "address", "02:00:00:00:00:77"}},
		{"no IPv6 address", []string{"addrgenmode", "none"}},
		{"MTU below IPv6's least", []string{"mtu", "1000"}},
	}
	for _, plane := range []string{"ebpf", "user"} {
		for _, state := range states {
			t.Run(plane+"/"+state.name, func(t *testing.T) {
				r := newTalkative(t, "bpf", "tcx")
				if state.set != nil {
					nstest.Command(t, r.Here, "ip", append([]string{"link", "set", "eth1"}, state.set...)...)
				}
				foreign := attachForeign(r, "eth1")
				r.Start()
				before, held := r.settled(), r.descriptors()
				r.Up("br0", "plane="+plane, "primary=eth1", "eth1", "eth2")
				r.WaitActive("eth1")
				foreign.standsRight(t, plane)
				objects := r.objects()
				r.There.SetDown("far1")
				r.WaitActive("eth2")
				r.Here.MustPing(rig.ThereAddr)
				r.There.SetUp("far1")
				r.WaitActive("eth1")
				r.Here.MustPing(rig.ThereAddr)
				r.Must("down", "bond0")
				r.sameAs(before, "after yoke down")
				objects.gone(t)
				nstest.Eventually(t, 10*time.Second, func() bool { return r.descriptors() == held }, "yoked to hold %d descriptors of BPF objects, as before", held)
				foreign.stays(t)
			})
		}
	}
}

// crashes is how often the daemon is killed while it makes an aggregate.
const crashes = 20

// A daemon that is killed at any moment of `yoke up` leaves nothing that the next one
// does not take away.
func TestKillInTheMiddleOfUp(t *testing.T) {
	for _, plane := range []string{"ebpf", "user"} {
		t.Run(plane, func(t *testing.T) {
			r := newTalkative(t, "bpf")
			nstest.Command(t, r.Here, "ip", "link", "set", "eth1", "mtu", "1432")
			nstest.Command(t, r.Here, "ip", "link", "set", "eth2", "down")
			before := r.settled()
			r.Start()
			took := r.timeOfUp(plane)
			made := 0
			for seed := range uint64(crashes) {
				random := rand.New(rand.NewPCG(seed, 0))
				// One of each twentieth of the time, so that no part is left out.
				after := time.Duration((float64(seed) + random.Float64()) / crashes * float64(took))
				if r.killInUp(plane, after) {
					made++
				}
				r.Start()
				r.Must("down", "--all")
				r.sameAs(before, "killed "+after.String()+" after up was asked, then taken down,")
				if t.Failed() {
					return
				}
			}
			t.Logf("yoke up takes %v here; of %d killed in it %d had a state to adopt", took.Round(time.Millisecond), crashes, made)
		})
	}
}

// timeOfUp is how long `yoke up` takes now.
func (r *host) timeOfUp(plane string) time.Duration {
	r.T.Helper()
	start := time.Now()
	r.Must("up", "bond0", "plane="+plane, "eth1", "eth2")
	took := time.Since(start)
	r.Must("down", "bond0")
	return took
}

// killInUp kills the daemon a while after `yoke up` was asked, and tells whether there
// is a trace to adopt.
func (r *host) killInUp(plane string, after time.Duration) (made bool) {
	r.T.Helper()
	cmd := exec.Command(filepath.Join(r.Bin, "yoke"), "up", "bond0", "plane="+plane, "eth1", "eth2")
	cmd.Env = r.Env()
	if err := r.Here.Run(cmd.Start); err != nil {
		r.T.Fatal(err)
	}
	time.Sleep(after) // the moment is what is tried here, any one will do
	r.Kill()
	_ = cmd.Wait() // it may have succeeded
	_, err := os.Stat(filepath.Join(r.Dir, "bond0.json"))
	return err == nil
}

// foreign is somebody else's programs on a port: they count, and let pass.
type foreign struct {
	r       *host
	ifindex int
	seen    *ebpf.Map
	program ebpf.ProgramID
}

// ways are both places of tcx.
var ways = []ebpf.AttachType{ebpf.AttachTCXIngress, ebpf.AttachTCXEgress}

func attachForeign(r *host, port string) *foreign {
	r.T.Helper()
	f := &foreign{r: r, ifindex: r.Here.Index(port)}
	var err error
	f.seen, err = ebpf.NewMap(&ebpf.MapSpec{Name: "foreign", Type: ebpf.Array, KeySize: 4, ValueSize: 8, MaxEntries: 1})
	if err != nil {
		r.T.Fatal(err)
	}
	r.T.Cleanup(func() { f.seen.Close() })
	p, err := ebpf.NewProgram(&ebpf.ProgramSpec{Name: "foreign", Type: ebpf.SchedCLS, License: "Dual BSD/GPL", Instructions: asm.Instructions{
		asm.StoreImm(asm.RFP, -4, 0, asm.Word),
		asm.Mov.Reg(asm.R2, asm.RFP), asm.Add.Imm(asm.R2, -4),
		asm.LoadMapPtr(asm.R1, f.seen.FD()),
		asm.FnMapLookupElem.Call(),
		asm.JEq.Imm(asm.R0, 0, "out"),
		asm.Mov.Imm(asm.R1, 1),
		asm.StoreXAdd(asm.R0, asm.R1, asm.DWord),
		asm.Mov.Imm(asm.R0, -1).WithSymbol("out"), // go on with the next program
		asm.Return(),
	}})
	if err != nil {
		r.T.Fatal(err)
	}
	r.T.Cleanup(func() { p.Close() })
	info, err := p.Info()
	if err != nil {
		r.T.Fatal(err)
	}
	f.program, _ = info.ID()
	for _, way := range ways {
		var l link.Link
		if err := r.Here.Run(func() (err error) {
			l, err = link.AttachTCX(link.TCXOptions{Interface: f.ifindex, Program: p, Attach: way})
			return err
		}); err != nil {
			r.T.Fatal(err)
		}
		r.T.Cleanup(func() { l.Close() })
	}
	return f
}

// order is the ids of the programs on the port, one after the other.
func (f *foreign) order(way ebpf.AttachType) (ids []ebpf.ProgramID) {
	f.r.T.Helper()
	if err := f.r.Here.Run(func() error {
		result, err := link.QueryPrograms(link.QueryOptions{Target: f.ifindex, Attach: way})
		if err != nil {
			return err
		}
		for _, p := range result.Programs {
			ids = append(ids, p.ID)
		}
		return nil
	}); err != nil {
		f.r.T.Fatal(err)
	}
	return ids
}

// standsRight: ours are first at ingress and last at egress, where filters run after all
// that is attached by tcx, and the other's see what leaves.
func (f *foreign) standsRight(t *testing.T, plane string) {
	t.Helper()
	if ids := f.order(ebpf.AttachTCXIngress); len(ids) == 0 || ids[len(ids)-1] != f.program || plane == "ebpf" && len(ids) != 2 {
		t.Errorf("at ingress the programs are %v, and the other's, %d, is not behind ours", ids, f.program)
	}
	if ids := f.order(ebpf.AttachTCXEgress); !slices.Equal(ids, []ebpf.ProgramID{f.program}) {
		t.Errorf("at egress the programs are %v, and only %d may be there: filters come behind it", ids, f.program)
	}
	if last := f.lastFilter(); plane == "ebpf" && !strings.HasPrefix(last, "yoke_guard") {
		t.Errorf("the last filter at egress is %q, not the guard", last)
	}
	before := f.count()
	f.r.Here.MustPing(rig.ThereAddr)
	if plane == "ebpf" && f.count() == before {
		t.Error("the other's program at egress does not see what leaves any more")
	}
}

// lastFilter names the filter that runs last at the egress, empty where there is none.
func (f *foreign) lastFilter() string {
	f.r.T.Helper()
	list, err := f.r.Here.Handle().FilterList(&netlink.Device{LinkAttrs: netlink.LinkAttrs{Index: f.ifindex}}, netlink.HANDLE_MIN_EGRESS)
	if err != nil {
		f.r.T.Fatal(err)
	}
	if len(list) == 0 {
		return ""
	}
	if b, ok := list[len(list)-1].(*netlink.BpfFilter); ok {
		return b.Name
	}
	return list[len(list)-1].Type()
}

func (f *foreign) count() (n uint64) {
	f.r.T.Helper()
	if err := f.seen.Lookup(uint32(0), &n); err != nil {
		f.r.T.Fatal(err)
	}
	return n
}

// stays: the other's programs are alone again, and still there.
func (f *foreign) stays(t *testing.T) {
	t.Helper()
	for _, way := range ways {
		if ids := f.order(way); !slices.Equal(ids, []ebpf.ProgramID{f.program}) {
			t.Errorf("%v: the programs are %v, and only %d was there before", way, ids, f.program)
		}
	}
}

// objects are the kernel's ids of what an aggregate has pinned.
type objects struct {
	maps  map[string]ebpf.MapID
	links map[string]link.ID
	progs map[string]ebpf.ProgramID
}

func (r *host) objects() objects {
	r.T.Helper()
	o := objects{map[string]ebpf.MapID{}, map[string]link.ID{}, map[string]ebpf.ProgramID{}}
	entries, _ := os.ReadDir(r.PinDir()) // plane user has none
	for _, e := range entries {
		path := filepath.Join(r.PinDir(), e.Name())
		if !strings.HasPrefix(e.Name(), "link-") {
			m, err := ebpf.LoadPinnedMap(path, nil)
			if err != nil {
				r.T.Fatal(err)
			}
			if info, err := m.Info(); err == nil {
				o.maps[e.Name()], _ = info.ID()
			}
			m.Close()
			continue
		}
		l, err := link.LoadPinnedLink(path, nil)
		if err != nil {
			r.T.Fatal(err)
		}
		if info, err := l.Info(); err == nil {
			o.links[e.Name()], o.progs[e.Name()] = info.ID, info.Program
		}
		l.Close()
	}
	return o
}

// gone waits until the kernel has freed all of them.
func (o objects) gone(t *testing.T) {
	t.Helper()
	freed := func(what string, open func() error) {
		nstest.Eventually(t, 30*time.Second, func() bool { return errors.Is(open(), os.ErrNotExist) }, "%s to be gone from the kernel", what)
	}
	for name, id := range o.maps {
		freed("map "+name, func() error { m, err := ebpf.NewMapFromID(id); m.Close(); return err })
	}
	for name, id := range o.progs {
		freed("the program of "+name, func() error { p, err := ebpf.NewProgramFromID(id); p.Close(); return err })
	}
	for name, id := range o.links {
		freed(name, func() error {
			l, err := link.NewFromID(id)
			if err == nil {
				l.Close()
			}
			return err
		})
	}
}
