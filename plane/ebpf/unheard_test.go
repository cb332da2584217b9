package ebpf

import (
	"context"
	"testing"
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/afpacket"
	"github.com/yokelag/yoke/internal/bootclock"
	"github.com/yokelag/yoke/internal/nstest"
	"github.com/yokelag/yoke/plane/keepalive"
	"github.com/yokelag/yoke/wire/slow"
)

// A port whose partner has gone while no daemon is there is left for the second choice.
func TestUnheardPortIsLeftForTheSecond(t *testing.T) {
	for name, o := range map[string]Options{"guard": {}, "blind": {ForceBlindGuard: true}} {
		t.Run(name, func(t *testing.T) {
			nstest.Require(t, "root", "bpf", "veth", "bridge")
			r := newRig(t, o)
			r.ready()
			k := r.orphan("eth0")
			if f := r.observe().ForeignFilters; len(f) != 0 {
				t.Errorf("what speaks for us is taken for foreign: %v", f)
			}
			out := r.stream(time.Millisecond)
			out.WaitReceived(50)
			before := r.observe().Ports[1].TxFrames
			r.changePartner("eth0")
			nstest.Eventually(t, 20*time.Second, func() bool { return r.observe().Ports[1].TxFrames > before }, "frames by eth1")
			out.WaitReceived(50)
			r.lossless(out.Stop())
			if err := r.near.Run(func() error { return k.Remove(r.near.Index("eth0")) }); err != nil {
				t.Fatal(err)
			}
		})
	}
}

func partners() (ours, theirs slow.Info) {
	const state = slow.Activity | slow.Timeout | slow.Aggregation | slow.Synchronization | slow.Collecting | slow.Distributing
	return slow.Info{System: slow.Addr{2, 0, 0, 0, 0, 1}, Port: 1, Key: 1, State: state},
		slow.Info{System: slow.Addr{2, 0, 0, 0, 0, 2}, Port: 1, Key: 1, State: state}
}

// orphan puts what speaks LACP on a port, and lets the daemon be gone for a minute.
func (r *rig) orphan(port string) (k *keepalive.Keeper) {
	r.Helper()
	ours, theirs := partners()
	err := r.near.Run(func() (err error) {
		if k, err = keepalive.Open(keepalive.Options{Guarded: true}); err != nil {
			return err
		}
		if err := k.Set(r.near.Index(port), keepalive.State{Speak: true, Actor: ours, Partner: theirs}); err != nil {
			return err
		}
		return k.Beat(agg.Instant(bootclock.Now()).Add(-time.Minute))
	})
	if err != nil {
		r.Fatal(err)
	}
	r.Cleanup(func() { k.Close() })
	return k
}

// changePartner lets the partner say that it does not listen any more.
func (r *rig) changePartner(port string) {
	r.Helper()
	ours, theirs := partners()
	theirs.State &^= slow.Synchronization | slow.Collecting
	pdu := slow.LACPDU{Version: slow.Version1, Actor: theirs, Partner: ours}
	err := r.far.Run(func() error {
		s, err := afpacket.NewSender()
		if err != nil {
			return err
		}
		defer s.Close()
		return s.Send(context.Background(), r.far.Index(port), pdu.AppendFrame(nil, slow.Group(), slow.Addr{2, 0, 0, 0, 0, 2}))
	})
	if err != nil {
		r.Fatal(err)
	}
}
