package ebpf

import (
	"bytes"
	"encoding/hex"
	"errors"
	"runtime"
	"testing"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/nstest"
)

// onOneCPU keeps the test on one processor, as turns are counted by each for itself.
func onOneCPU(t *testing.T) {
	t.Helper()
	runtime.LockOSThread()
	t.Cleanup(runtime.UnlockOSThread)
	var before, one unix.CPUSet
	if err := unix.SchedGetaffinity(0, &before); err != nil {
		t.Fatal(err)
	}
	for cpu := range 1024 {
		if before.IsSet(cpu) {
			one.Set(cpu)
			break
		}
	}
	if err := unix.SchedSetaffinity(0, &one); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.SchedSetaffinity(0, &before) })
}

// publishPlan puts a plan of spread's ports in force.
func (b *bench) publishPlan(p agg.Plan) {
	b.Helper()
	if err := b.publish.publish(encode(p, 1, places{}.with(p)).route(7, 8, false)); err != nil {
		b.Fatal(err)
	}
}

func TestRoundRobinWalksTheTable(t *testing.T) {
	onOneCPU(t)
	b := newBench(t)
	entry := b.program(yokeProgYokeEntryWhole)
	for _, each := range []int{0, 1, 2, 5} {
		p := b.spread(agg.SelectRoundRobin, 0, 3, false)
		p.PacketsPerPort = each
		b.publishPlan(p)
		each = max(each, 1)
		data := frame(t, udpFrame)
		var ways []int
		for range 60 * each {
			ways = append(ways, b.portOf(entry, data))
		}
		first := 0 // of a new turn
		for ways[first] == ways[0] {
			first++
		}
		for i, way := range ways[first:] {
			if want := (ways[0] + 1 + i/each) % 3; way != want {
				t.Fatalf("%d in a row: frame %d by port %d, want %d: %v", each, i, way, want, ways)
			}
		}
	}
}

func TestRandomUsesEveryPort(t *testing.T) {
	b := newBench(t)
	entry := b.program(yokeProgYokeEntryWhole)
	b.spread(agg.SelectRandom, 0, 3, false)
	var count [3]int
	data := frame(t, udpFrame)
	for range 3000 {
		count[b.portOf(entry, data)]++
	}
	for i, n := range count {
		if n < 800 || n > 1200 { // 1000 are expected, and 26 are one standard deviation
			t.Errorf("port %d: %d of 3000", i, n)
		}
	}
}

// igmpFrame is a membership report.
const igmpFrame = "01005e00001602000000000108004600002800004000010245bb" +
	"c0000201e0000016940400002200f9fe00000001040000000000000000000000000000000000"

func TestClassesLeaveByOnePort(t *testing.T) {
	b := newBench(t)
	entry := b.program(yokeProgYokeEntryWhole)
	for _, sel := range []agg.Selector{agg.SelectRoundRobin, agg.SelectModulo, agg.SelectBuckets} {
		p := b.spread(sel, agg.HashLayer34, 5, false)
		p.Multicast, p.Unbalanced = 3, agg.ClassIGMP
		b.publishPlan(p)
		others := false
		for i := range 20 {
			if got := b.portOf(entry, frame(t, igmpFrame)); got != 3 {
				t.Errorf("%s: IGMP left by port %d", sel, got)
			}
			data := frame(t, udpFrame)
			data[35] = byte(i) // a port
			others = others || b.portOf(entry, data) != 3
		}
		if !others {
			t.Errorf("%s: all frames left by port 3", sel)
		}
	}
}

func TestCopiedClassesGoEverywhere(t *testing.T) {
	b := newBench(t)
	entry := b.program(yokeProgYokeEntryWhole)
	p := b.spread(agg.SelectModulo, agg.HashLayer34, 5, false)
	p.Copy = agg.ClassNeighbor
	b.publishPlan(p)
	var out skbContext
	arp := frame(t, "ffffffffffff020000000001080600010800060400010200000000010a0000010000000000000a000002")
	if _, err := entry.Run(&ebpf.RunOptions{Data: arp, Context: skbContext{}, ContextOut: &out}); err != nil {
		t.Fatal(err)
	}
	const everywhere = 0xffffffff
	if out.CB[0] != b.loader.cookie || out.CB[2] != everywhere {
		t.Errorf("ARP has the mark %#x", out.CB)
	}
	if got := b.portOf(entry, frame(t, udpFrame)); got < 0 || got > 4 {
		t.Errorf("UDP left by port %d", got)
	}
}

func TestGuardWritesTheSourceAddress(t *testing.T) {
	b := newBench(t)
	entry := b.program(yokeProgYokeEntryWhole)
	for _, name := range []string{yokeProgYokeGuard, yokeProgYokeGuardBlind} {
		if b.loader.blind && name == yokeProgYokeGuard {
			continue // this kernel has only the other
		}
		guard := b.program(name)
		for _, mac := range []agg.MAC{{}, {2, 0xaa, 0, 0, 0, 7}} {
			p := b.spread(agg.SelectFixed, 0, 2, false)
			p.Ports[0].SourceMAC = mac
			b.publishPlan(p)
			var marked skbContext
			data := frame(t, udpFrame)
			if _, err := entry.Run(&ebpf.RunOptions{Data: data, Context: skbContext{}, ContextOut: &marked}); err != nil {
				t.Fatal(err)
			}
			var in skbContext
			in.CB = marked.CB
			out := make([]byte, len(data)+256)
			run := ebpf.RunOptions{Data: data, DataOut: out, Context: in}
			if _, err := guard.Run(&run); err != nil {
				t.Fatal(err)
			}
			want := bytes.Clone(data)
			if !mac.IsZero() {
				copy(want[6:], mac[:])
			}
			if !bytes.Equal(run.DataOut, want) {
				t.Errorf("%s, %s:\n%s\nwant\n%s", name, mac, hex.EncodeToString(run.DataOut), hex.EncodeToString(want))
			}
		}
	}
}

// spread is a plan that uses both ports without looking at the frame.
func (r *rig) spread(how agg.Selector) agg.Plan {
	p := r.balanced()
	p.Select, p.Hash, p.Table = how, 0, []agg.Choice{{First: 0, Second: 1}, {First: 1, Second: 0}}
	switch how {
	case agg.SelectBroadcast:
		p.Mode = agg.Broadcast
		p.Table = []agg.Choice{{First: 0, Second: agg.NoPort}, {First: 1, Second: agg.NoPort}}
	case agg.SelectRoundRobin:
		p.Mode, p.PacketsPerPort = agg.BalanceRR, 1
	default:
		p.Mode = agg.Random
	}
	return p
}

// sent sends frames to the far end under a plan and returns how many left by each port,
// as the ports' own counters have it, and how many the aggregate's device counted.
func (r *rig) sent(p agg.Plan, total int) (ports []uint64, device uint64) {
	r.Helper()
	r.apply(p)
	before, first := r.observe(), r.txPackets("bond0")
	s := r.stream(0)
	s.SendAll(total)
	s.Stop()
	after := r.observe()
	device = r.txPackets("bond0") - first
	for i := range after.Ports {
		own := after.Ports[i].DeviceTxFrames - before.Ports[i].DeviceTxFrames
		if plane := after.Ports[i].TxFrames - before.Ports[i].TxFrames; plane != own {
			r.Errorf("%s: the plane counts %d, the port %d", after.Ports[i].Name, plane, own)
		}
		ports = append(ports, own)
		if n := after.Buckets[i].Frames - before.Buckets[i].Frames; n != own {
			r.Errorf("%s: entry %d counts %d, the port %d", after.Ports[i].Name, i, n, own)
		}
	}
	return ports, device
}

// Real frames by each selector that does not look at them, exact and on the fast path.
func TestSpreadingRealFrames(t *testing.T) {
	variants(t, func(t *testing.T, r *rig) {
		r.near.SetDown("bond0")
		quiet(r.near, "bond0")
		r.near.SetUp("bond0")
		r.apply(r.plan(0))
		r.settleNeighbors()
		const total = 4000
		for _, fast := range []bool{false, true} {
			for _, how := range []agg.Selector{agg.SelectRoundRobin, agg.SelectRandom, agg.SelectBroadcast} {
				p := r.spread(how)
				p.FastPath = fast
				ports, device := r.sent(p, total)
				if counted := device == total; counted == fast && device != 0 {
					t.Errorf("%s, fast %v: the device counts %d of %d", how, fast, device, total)
				}
				checkSpread(t, how, fast, ports, total)
			}
		}
	})
}

func checkSpread(t *testing.T, how agg.Selector, fast bool, ports []uint64, total uint64) {
	t.Helper()
	a, b := ports[0], ports[1]
	switch how {
	case agg.SelectBroadcast:
		if a != total || b != total {
			t.Errorf("broadcast, fast %v: %v copies of %d", fast, ports, total)
		}
		return
	case agg.SelectRoundRobin: // each processor alternates
		if d := max(a, b) - min(a, b); d > uint64(cpus()) {
			t.Errorf("round-robin, fast %v: %v", fast, ports)
		}
	default:
		if min(a, b) < total*4/10 {
			t.Errorf("%s, fast %v: %v", how, fast, ports)
		}
	}
	if a+b != total {
		t.Errorf("%s, fast %v: %v are not %d", how, fast, ports, total)
	}
}

// Plans go from the common programs to the whole ones and back under a stream.
func TestSwitchingSelectorsLosesNothing(t *testing.T) {
	variants(t, func(t *testing.T, r *rig) {
		r.ready()
		in := nstest.StartUDP(r, r.far, r.near, there, here, 1e6)
		out := r.stream(1e6)
		for _, how := range []agg.Selector{agg.SelectRoundRobin, agg.SelectRandom} {
			out.WaitReceived(30)
			r.apply(r.spread(how))
			out.WaitReceived(30)
			r.apply(r.balanced())
		}
		for _, hash := range Capability().Hashes {
			p := r.balanced()
			p.Hash = hash
			r.apply(p)
			out.WaitReceived(30)
		}
		r.lossless(out.Stop(), in.Stop())
	})
}

// Frames that were given a queue, by a filter on the aggregate before the programs run or
// in its qdisc after that, leave by the port of that queue; by the selector's where no
// usable port has it.
func TestQueueChoosesThePort(t *testing.T) {
	variants(t, func(t *testing.T, r *rig) {
		r.near.SetDown("bond0")
		quiet(r.near, "bond0")
		r.near.SetUp("bond0")
		r.apply(r.plan(0))
		r.settleNeighbors()
		clsact := &netlink.Clsact{QdiscAttrs: r.qdisc(0xffff, netlink.HANDLE_CLSACT)}
		for _, c := range []struct{ queue, usable, port int }{{2, 1, 1}, {3, 1, 0}, {2, agg.NoPort, 0}} {
			r.giveQueue(c.queue, netlink.HANDLE_MIN_EGRESS, clsact)
			r.queueChooses(c.queue, c.usable, c.port)
		}
		r.giveQueue(0, netlink.HANDLE_MIN_EGRESS, clsact)
		htb := netlink.NewHtb(r.qdisc(1, netlink.HANDLE_ROOT))
		r.giveQueue(2, netlink.MakeHandle(1, 0), htb)
		r.queueChooses(2, 1, 1)
	})
}

// queueChooses sends frames that have a queue. Port 1 has queue 2 and the given place in
// the usable order, port 0 is the active one.
func (r *rig) queueChooses(queue, usable, port int) {
	r.Helper()
	p := r.plan(0)
	p.Ports[1].QueueID, p.Ports[1].Order = 2, usable
	r.apply(p)
	before := r.observe()
	s := r.stream(0)
	s.SendAll(200)
	s.Stop()
	after := r.observe()
	for i := range after.Ports {
		want := uint64(0)
		if i == port {
			want = 200
		}
		if got := after.Ports[i].DeviceTxFrames - before.Ports[i].DeviceTxFrames; got != want {
			r.Errorf("queue %d: %s sent %d of 200, want %d", queue, after.Ports[i].Name, got, want)
		}
	}
}

func (r *rig) qdisc(major uint16, parent uint32) netlink.QdiscAttrs {
	return netlink.QdiscAttrs{LinkIndex: r.near.Index("bond0"), Handle: netlink.MakeHandle(major, 0), Parent: parent}
}

// giveQueue lets a filter at a qdisc of the aggregate give every frame a queue.
func (r *rig) giveQueue(queue int, parent uint32, qdisc netlink.Qdisc) {
	r.Helper()
	const offset = 12 // of queue_mapping in struct __sk_buff
	program, err := ebpf.NewProgram(&ebpf.ProgramSpec{
		Type: ebpf.SchedCLS, License: "Dual BSD/GPL",
		Instructions: asm.Instructions{
			asm.Mov.Imm(asm.R2, int32(queue)),
			asm.StoreMem(asm.R1, offset, asm.R2, asm.Word),
			asm.Mov.Imm(asm.R0, -1), // TC_ACT_UNSPEC
			asm.Return(),
		},
	})
	if err != nil {
		r.Fatal(err)
	}
	defer program.Close()
	h := r.near.Handle()
	if err := h.QdiscAdd(qdisc); errors.Is(err, unix.ENOENT) {
		r.Skip("missing kernel feature: the qdisc " + qdisc.Type())
	} else if err != nil && !errors.Is(err, unix.EEXIST) {
		r.Fatal(err)
	}
	err = h.FilterReplace(&netlink.BpfFilter{
		FilterAttrs: netlink.FilterAttrs{
			LinkIndex: r.near.Index("bond0"), Parent: parent, Handle: 1, Priority: 7, Protocol: unix.ETH_P_ALL,
		},
		Fd: program.FD(), Name: "queue", DirectAction: true,
	})
	if err != nil {
		r.Fatal(err)
	}
}
