package ebpf

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/nstest"
)

func TestAdoptionLosesNothingAndKeepsTheTable(t *testing.T) {
	variants(t, func(t *testing.T, r *rig) {
		r.ready()
		plan := r.balanced()
		r.apply(plan)
		before := r.observe()
		out := r.stream(200 * time.Microsecond)
		in := nstest.StartUDP(r, r.far, r.near, there, here, time.Millisecond)
		for range 3 {
			out.WaitReceived(200)
			r.close()
			out.WaitReceived(200) // with no daemon
			r.open()
			after := r.observe()
			if after.Published == nil || !after.Published.Equal(plan) || after.Published.Generation != plan.Generation {
				t.Fatalf("adopted %+v", after.Published)
			}
			if after.PublishedAt != before.PublishedAt {
				t.Error("adoption published anew")
			}
			plan.Generation++
			r.apply(plan)
			before = r.observe()
		}
		r.lossless(out.Stop(), in.Stop())
	})
}

// balanced spreads by buckets over both ports, which both receive: the far bridge, which
// knows no port group, answers to the port it heard last.
func (r *rig) balanced() agg.Plan {
	p := r.plan(0)
	p.Mode, p.Select, p.Hash, p.Table = agg.BalanceXOR, agg.SelectBuckets, agg.HashLayer34, nil
	for i := range agg.NumBuckets {
		p.Table = append(p.Table, agg.Choice{First: i % 2, Second: 1 - i%2})
	}
	p.Ports[1].Transmit, p.Ports[1].Receive = true, true
	return p
}

func TestNewerLayoutIsRefusedByName(t *testing.T) {
	nstest.Require(t, "root", "bpf", "veth", "bridge")
	r := newRig(t, Options{})
	setLayout := func(v uint32) {
		if err := r.plane.tables.YokeLayout.Put(uint32(0), v); err != nil {
			t.Fatal(err)
		}
	}
	setLayout(layout + 1)
	err := r.near.Run(func() error {
		_, err := Open(context.Background(), r.options)
		return err
	})
	var problem *agg.Problem
	if !errors.As(err, &problem) || problem.Code != "newer-layout" {
		t.Errorf("got %v", err)
	}
	setLayout(layout)
}

func TestAdoptionFromAnotherMountNamespace(t *testing.T) {
	nstest.Require(t, "root", "bpf", "tcx", "veth", "bridge")
	r := newRig(t, Options{})
	r.ready()
	want := r.observe().Published
	r.close()
	errs := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with its mounts
		errs <- func() error {
			if err := unix.Unshare(unix.CLONE_FS | unix.CLONE_NEWNS); err != nil {
				return err
			}
			if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
				return err
			}
			if isDir(hostRoot + bpfMount) { // the host's can be reached: hide it behind a private one
				if err := unix.Mount("bpf", bpfMount, "bpf", 0, ""); err != nil {
					return err
				}
			}
			return r.near.Run(func() (err error) {
				r.plane, err = Open(context.Background(), r.options)
				return err
			})
		}()
	}()
	if err := <-errs; err != nil {
		t.Fatal(err)
	}
	if got := r.observe().Published; got == nil || !got.Equal(*want) {
		t.Errorf("adopted %+v", got)
	}
	r.near.MustPing(there)
}

func TestPinsOfADeadDeviceAreNotAdopted(t *testing.T) {
	variants(t, func(t *testing.T, r *rig) {
		r.ready()
		r.close()
		r.near.Delete("bond0")
		r.open()
		if got := r.observe().Published; got != nil {
			t.Errorf("adopted %+v", got)
		}
		r.near.AddAddr("bond0", here+"/24")
		r.near.SetUp("bond0")
		r.ready()
	})
}
