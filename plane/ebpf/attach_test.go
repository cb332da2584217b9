package ebpf

import (
	"errors"
	"testing"
	"time"

	"github.com/cilium/ebpf"

	"github.com/yokelag/yoke/internal/clsact"
	"github.com/yokelag/yoke/internal/nstest"
	"github.com/yokelag/yoke/plane/port"
)

// rxIsFirst reports whether rx of eth0 is a link before all others'.
func (r *rig) rxIsFirst() (first bool) {
	r.Helper()
	index := r.near.Index("eth0")
	r.near.Do(func() {
		c := chainOf(index, true)
		first = r.plane.attach.links.attached(rxHook(r.plane.places["eth0"], index)) &&
			len(c.programs) > 1 && programName(c.programs[0].ID) == "yoke_rx" && c.ours() < 0
	})
	return first
}

// Somebody puts a program before ours on a port that carries: ours goes before it, and
// nothing is lost on the way.
func TestOursGoesBeforeAProgramThatCameLater(t *testing.T) {
	nstest.Require(t, "root", "bpf", "clsact", "tcx", "veth", "bridge")
	for what, before := range map[string]int{"filter": 0, "link": looks} {
		t.Run(what, func(t *testing.T) {
			r := newRig(t, Options{})
			r.ready()
			r.lookOften(before)
			in := nstest.StartUDP(r, r.far, r.near, there, here, 200*time.Microsecond)
			in.WaitReceived(100)
			r.addUserProgram("eth0", true)
			r.observe()
			in.WaitReceived(100)
			got := in.Stop()
			if r.lossless(got); got.Duplicated != 0 {
				t.Errorf("%+v", got)
			}
			if !r.rxIsFirst() {
				t.Error("ours is not the first")
			}
		})
	}
}

// lookOften has filters become links, if it looks often enough.
func (r *rig) lookOften(times int) {
	r.Helper()
	for range times {
		r.observe()
	}
}

// A filter with the first priority is there before the port is taken.
func TestOursGoesBeforeAFilterThatWasThere(t *testing.T) {
	nstest.Require(t, "root", "bpf", "clsact", "tcx", "veth", "bridge")
	r := newRig(t, Options{})
	index := r.near.Index("eth0")
	p, _ := userProgram(t)
	f := clsact.Filter{Kind: "bpf", Handle: 1, Priority: firstPriority, Name: "user"}
	r.near.Do(func() {
		if err := errors.Join(port.AddClsact(index), f.Put(index, true, p.FD())); err != nil {
			t.Fatal(err)
		}
	})
	r.ready()
	if !r.plane.attach.links.attached(rxHook(r.plane.places["eth0"], index)) {
		t.Error("ours is not before it")
	}
}

// An aggregate whose programs are all links, as they once were, is adopted with them.
func TestAdoptionOfLinks(t *testing.T) {
	nstest.Require(t, "root", "bpf", "clsact", "tcx", "veth", "bridge")
	r := newRig(t, Options{})
	r.ready()
	hooks := []hook{entryHook(r.plane.device.Outer), hopHook(r.plane.device.Inner)}
	for name, index := range r.plane.hooked {
		hooks = append(hooks, rxHook(r.plane.places[name], index), guardHook(r.plane.places[name], index))
	}
	r.near.Do(func() {
		for _, h := range hooks {
			r.asLink(h)
		}
	})
	out := r.stream(200 * time.Microsecond)
	in := nstest.StartUDP(r, r.far, r.near, there, here, time.Millisecond)
	out.WaitReceived(100)
	r.close()
	r.open()
	p := r.plan(0)
	r.apply(p)
	r.observe()
	out.WaitReceived(100)
	r.lossless(out.Stop(), in.Stop())
	r.near.Do(func() {
		for _, h := range hooks {
			if c := chainOf(h.ifindex, h.ingress); !r.plane.attach.links.attached(h) || c.ours() >= 0 || len(c.programs) != 1 {
				t.Errorf("%s: %d programs, filter %d", h.name, len(c.programs), c.ours())
			}
		}
	})
}

// asLink puts the program of h, which is a filter, into a link.
func (r *rig) asLink(h hook) {
	r.Helper()
	load := func() (*ebpf.Program, error) {
		switch {
		case h.place != ofDevice && h.ingress:
			return r.plane.loader.load(yokeProgYokeRx, h.place)
		case h.place != ofDevice:
			return r.plane.loader.guard(h.place)
		case h.ingress:
			return r.plane.loader.load(yokeProgYokeHopFixed, anyPlace)
		default:
			return r.plane.loader.load(yokeProgYokeEntryFixed, anyPlace)
		}
	}
	p, err := load()
	if err != nil {
		r.Fatal(err)
	}
	defer p.Close()
	if err := r.plane.attach.links.attach(h, p); err != nil {
		r.Fatal(err)
	}
	if err := r.plane.attach.filters.detach(h); err != nil {
		r.Fatal(err)
	}
}
