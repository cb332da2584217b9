package ebpf

import (
	"testing"
	"time"

	"github.com/yokelag/yoke/internal/nstest"
)

// looks is more than an aggregate of two ports has hooks.
const looks = 8

// linked counts the hooks that have a link, and those that have a filter.
func (r *rig) linked() (links, filters int) {
	r.Helper()
	r.near.Do(func() {
		for _, h := range r.plane.hooks() {
			if r.plane.attach.links.attached(h) {
				links++
			}
			if chainOf(h.ifindex, h.ingress).ours() >= 0 {
				filters++
			}
		}
	})
	return links, filters
}

// Filters become links one after the other, and a guard behind which somebody attaches
// becomes a filter again. Each frame is counted once, and none is lost.
func TestFiltersBecomeLinks(t *testing.T) {
	nstest.Require(t, "root", "bpf", "clsact", "tcx", "veth", "bridge")
	r := newRig(t, Options{})
	quiet(r.near, "bond0")
	r.ready()
	r.settleNeighbors()
	before := r.observe()
	out := r.stream(100 * time.Microsecond)
	in := nstest.StartUDP(r, r.far, r.near, there, here, 100*time.Microsecond)
	for range looks {
		out.WaitReceived(100)
		r.observe()
	}
	if links, filters := r.linked(); links != 6 || filters != 0 {
		t.Errorf("%d links and %d filters", links, filters)
	}
	r.addUserProgram("eth0", false)
	out.WaitReceived(100)
	r.observe()
	if links, filters := r.linked(); links != 5 || filters != 1 {
		t.Errorf("with somebody behind the guard: %d links and %d filters", links, filters)
	}
	out.WaitReceived(100)
	o, i := out.Stop(), in.Stop()
	if r.lossless(o, i); o.Duplicated+i.Duplicated != 0 {
		t.Errorf("out %+v, in %+v", o, i)
	}
	after := r.observe()
	if got := after.Ports[0].TxFrames - before.Ports[0].TxFrames; got+o.Lost < o.Sent || got > o.Sent {
		t.Errorf("the port counts %d frames sent of %d", got, o.Sent)
	}
	if got := after.Ports[0].RxFrames - before.Ports[0].RxFrames; got+i.Lost < i.Sent {
		t.Errorf("the port counts %d frames received of %d", got, i.Sent)
	}
	if got := after.Buckets[0].Frames - before.Buckets[0].Frames; got != o.Sent {
		t.Errorf("the entry counts %d frames of %d", got, o.Sent)
	}
}

// A daemon dies when ports are taken and hooked, and before any plan with them is in
// force: the next one gives them back.
func TestUnfinishedTakeIsUndone(t *testing.T) {
	nstest.Require(t, "root", "bpf", "clsact", "veth", "bridge", "program:ip", "program:tc")
	for _, pinsAreLost := range []bool{false, true} {
		r := newRig(t, Options{})
		r.destroy()
		before := r.settled()
		r.open()
		plan := r.plan(0)
		if err := r.near.Run(func() error {
			_, err := r.plane.takeNew(t.Context(), plan, r.plane.places.with(plan))
			return err
		}); err != nil {
			t.Fatal(err)
		}
		r.close()
		if pinsAreLost {
			r.near.Delete("bond0")
		}
		r.open()
		if list := r.plane.ports.Taken(); len(list) != 0 {
			t.Errorf("still taken: %+v", list)
		}
		r.destroy()
		r.becomes(before)
	}
}
