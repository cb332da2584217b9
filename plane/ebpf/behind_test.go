package ebpf

import (
	"testing"
	"time"

	"github.com/cilium/ebpf/link"

	"github.com/yokelag/yoke/internal/nstest"
)

// rxLink is the link of rx of eth0.
func (r *rig) rxLink() link.ID {
	r.Helper()
	id, found := r.plane.attach.links.find(rxHook(r.plane.places["eth0"], r.near.Index("eth0")))
	if !found {
		r.Fatal("rx of eth0 is no link")
	}
	return id
}

// Somebody's program takes all from the aggregate, whose programs are links: until the next
// look, or the next daemon.
func TestOurLinkGoesBeforeAProgramThatTakesAll(t *testing.T) {
	nstest.Require(t, "root", "bpf", "clsact", "tcx", "veth", "bridge")
	for what, next := range map[string]func(*rig){
		"look":   func(r *rig) { r.observe() },
		"daemon": func(r *rig) { r.close(); r.open() },
	} {
		t.Run(what, func(t *testing.T) {
			r := newRig(t, Options{})
			r.ready()
			r.lookOften(looks)
			r.putFirst("eth0", true, nstest.Greedy(t))
			far, bond := openPackets(t, r.far, "eth0"), openPackets(t, r.near, "bond0")
			far.send(control(broadcast, 0x1234))
			if r.rxLink(); bond.sees(0x1234, false) {
				t.Fatal("the program takes nothing: the test proves nothing")
			}
			next(r)
			if !r.rxIsFirst() {
				t.Error("ours is not the first")
			}
			far.send(control(broadcast, 0x1234))
			if !bond.sees(0x1234, true) {
				t.Error("the aggregate does not receive")
			}
		})
	}
}

// What speaks LACP for a dead daemon wants to be first too, where there are others. It lets
// all frames pass that are ours, and each leaves the other where it is.
func TestOurLinkDoesNotFightWithWhatSpeaks(t *testing.T) {
	nstest.Require(t, "root", "bpf", "clsact", "tcx", "veth", "bridge")
	r := newRig(t, Options{})
	r.ready()
	r.lookOften(looks)
	r.addUserProgram("eth0", true)
	r.observe()
	before, k := r.rxLink(), r.orphan("eth0")
	if r.rxIsFirst() {
		t.Fatal("what speaks is not before ours: the test proves nothing")
	}
	for range 2 {
		r.observe()
		if r.rxLink() != before {
			t.Fatal("ours went before what speaks")
		}
		r.near.Do(func() {
			if n, err := k.Mend(); n != 0 || err != nil {
				t.Errorf("what speaks was mended on %d ports: %v", n, err)
			}
		})
	}
	r.addUserProgram("eth0", true)
	r.observe()
	moved := r.rxLink()
	if moved == before {
		t.Error("ours stays behind a program of others")
	}
	r.observe()
	if r.rxLink() != moved {
		t.Error("ours moved again with nobody before it")
	}
	r.near.MustPing(there)
}

// A daemon dies between pinning a link and giving it the place of the one before. The next one
// has one of them.
func TestMoveOfALinkThatWasCutShort(t *testing.T) {
	nstest.Require(t, "root", "bpf", "clsact", "tcx", "veth", "bridge")
	r := newRig(t, Options{})
	r.ready()
	r.lookOften(looks)
	h := rxHook(r.plane.places["eth0"], r.near.Index("eth0"))
	r.near.Do(func() {
		p, err := r.plane.loader.load(yokeProgYokeRx, h.place)
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		l, err := link.AttachTCX(link.TCXOptions{Interface: h.ifindex, Program: p, Attach: attachType(true), Anchor: link.Head()})
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		if err := l.Pin(r.plane.attach.links.next(h)); err != nil {
			t.Fatal(err)
		}
	})
	r.close()
	r.open()
	nstest.Eventually(t, 10*time.Second, func() (one bool) {
		r.near.Do(func() { one = len(chainOf(h.ifindex, true).programs) == 1 })
		return one
	}, "one program at the ingress of eth0")
	r.near.MustPing(there)
}
