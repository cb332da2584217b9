package ebpf

import (
	"context"
	"testing"

	"github.com/yokelag/yoke/internal/nstest"
)

// BenchmarkUp makes an aggregate of two ports and takes it apart: what one of many costs.
func BenchmarkUp(b *testing.B) {
	nstest.Require(b, "root", "bpf", "veth", "bridge")
	r := newRig(b, Options{Programs: NewPrograms()})
	plan := r.plan(0)
	r.close()
	for b.Loop() {
		r.open()
		r.apply(plan)
		r.observe()
		r.destroyNow()
	}
	r.open() // for the rig's clean-up
}

// BenchmarkObserve reads back an aggregate of two ports.
func BenchmarkObserve(b *testing.B) {
	nstest.Require(b, "root", "bpf", "veth", "bridge")
	r := newRig(b, Options{})
	r.apply(r.plan(0))
	for b.Loop() {
		r.observe()
	}
}

func (r *rig) destroyNow() {
	r.Helper()
	if err := r.near.Run(func() error { return r.plane.Destroy(context.Background()) }); err != nil {
		r.Fatal(err)
	}
	r.plane = nil
}
