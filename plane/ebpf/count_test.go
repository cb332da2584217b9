package ebpf

import (
	"testing"
	"time"

	"github.com/vishvananda/netlink"

	"github.com/yokelag/yoke/internal/iface"
	"github.com/yokelag/yoke/internal/nstest"
)

// quiet keeps the host from sending anything by itself on an interface.
func quiet(n *nstest.NS, name string) {
	n.Do(func() { _ = iface.SetSysctl("ipv6", name, "disable_ipv6", "1") })
}

// settleNeighbors makes the addresses permanent at both ends, so that no ARP is sent nor
// asked for, however slow the machine is.
func (r *rig) settleNeighbors() {
	r.Helper()
	r.near.MustPing(there)
	r.makePermanent(r.near, "bond0")
	r.makePermanent(r.far, "br0")
}

func (r *rig) makePermanent(ns *nstest.NS, name string) {
	r.Helper()
	list, err := ns.Handle().NeighList(ns.Index(name), netlink.FAMILY_V4)
	if err != nil || len(list) == 0 {
		r.Fatalf("neighbours of %s: %v %v", name, list, err)
	}
	for _, n := range list {
		n.State = netlink.NUD_PERMANENT
		if err := ns.Handle().NeighSet(&n); err != nil {
			r.Fatal(err)
		}
	}
}

func (r *rig) txPackets(name string) uint64 { return r.near.Link(name).Attrs().Statistics.TxPackets }

func TestCountersAreExact(t *testing.T) {
	variants(t, func(t *testing.T, r *rig) {
		r.near.SetDown("bond0")
		quiet(r.near, "bond0")
		r.near.SetUp("bond0")
		r.apply(r.balanced())
		r.settleNeighbors()
		before, device := r.observe(), r.txPackets("bond0")
		// A socket is a flow, and leaves by either port. That a port gets less than a tenth,
		// so 3 of 40 at most, happens once in fifty million runs.
		const total, sockets = 40000, 40
		for range sockets {
			s := r.stream(0)
			s.SendAll(total / sockets)
			s.Stop()
		}
		after := r.observe()
		if got := r.txPackets("bond0") - device; got != total {
			t.Errorf("bond0 counts %d, sent %d", got, total)
		}
		var ports, own, buckets uint64
		for i := range after.Ports {
			sent := after.Ports[i].TxFrames - before.Ports[i].TxFrames
			if sent < total/10 {
				t.Errorf("port %s carried %d of %d", after.Ports[i].Name, sent, total)
			}
			ports += sent
			own += after.Ports[i].DeviceTxFrames - before.Ports[i].DeviceTxFrames
		}
		for i := range after.Buckets {
			buckets += after.Buckets[i].Frames - before.Buckets[i].Frames
			if used := after.Buckets[i].LastUsed; used != 0 && (used > after.At || after.At.Sub(used) > time.Minute) {
				t.Errorf("bucket %d last used %v ago", i, after.At.Sub(used))
			}
		}
		if ports != total || own != total || buckets != total {
			t.Errorf("plane %d, ports' own counters %d, buckets %d, sent %d", ports, own, buckets, total)
		}
		if n := after.Counters["backlog_drops"] - before.Counters["backlog_drops"]; n != 0 {
			t.Logf("the machine's backlog dropped %d frames meanwhile", n)
		}
	})
}

func TestReceiveIsCountedByTheDevice(t *testing.T) {
	variants(t, func(t *testing.T, r *rig) {
		r.ready()
		before := r.near.Link("bond0").Attrs().Statistics.RxPackets
		s := nstest.StartUDP(r, r.far, r.near, there, here, 0)
		s.SendAll(1000)
		if got := s.Stop(); got.Lost != 0 {
			t.Errorf("lost %d", got.Lost)
		}
		if got := r.near.Link("bond0").Attrs().Statistics.RxPackets - before; got < 1000 {
			t.Errorf("bond0 counts %d of 1000 received", got)
		}
	})
}

func TestFastPathIsSwitchedLive(t *testing.T) {
	variants(t, func(t *testing.T, r *rig) {
		r.ready()
		out := r.stream(time.Millisecond)
		in := nstest.StartUDP(r, r.far, r.near, there, here, time.Millisecond)
		for i := range 20 {
			p := r.plan(0)
			p.FastPath = i%2 == 0
			r.apply(p)
			// What is received may have been sent under the plan before; what is sent is
			// counted, or not, before the sender goes on.
			counted, sent := r.txPackets("bond0"), out.Sent()
			out.WaitReceived(50)
			in.WaitReceived(50)
			sent = out.Sent() - sent
			counted = r.txPackets("bond0") - counted
			if p.FastPath && counted > 2 || !p.FastPath && counted+2 < sent {
				t.Errorf("fast path %v: the device counted %d of %d", p.FastPath, counted, sent)
			}
		}
		r.lossless(out.Stop(), in.Stop())
	})
}
