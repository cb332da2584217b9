package user_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"net"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/nstest"
)

// arrival waits for a frame of an EtherType.
func arrival(t *testing.T, fd int, etherType uint16) (frame []byte) {
	t.Helper()
	if err := unix.SetNonblock(fd, true); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 2048)
	nstest.Eventually(t, 10*time.Second, func() bool {
		n, err := unix.Read(fd, b)
		frame = b[:max(n, 0)]
		return err == nil && n >= 14 && binary.BigEndian.Uint16(b[12:]) == etherType
	}, "a frame of type %x", etherType)
	return frame
}

// A frame that leaves in copies has on each port the source address that the port wants.
func TestCopiesCarryThePortsOwnSource(t *testing.T) {
	const etherType = 0x88b5
	r := newRig(t)
	own := []agg.MAC{{2, 0, 0, 0, 0, 0x10}, {2, 0, 0, 0, 0, 0x11}}
	sent := frame(net.HardwareAddr{2, 0, 0, 0, 0, 2}, etherType)
	for name, alter := range map[string]func(*agg.Plan){
		"copied class": func(p *agg.Plan) { p.Copy = agg.ClassNotIP },
		"broadcast": func(p *agg.Plan) {
			p.Select, p.Table = agg.SelectBroadcast, []agg.Choice{{First: 0, Second: -1}, {First: 1, Second: -1}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			plan := r.plan(0)
			for i := range plan.Ports {
				plan.Ports[i].SourceMAC, plan.Ports[i].Receive = own[i], true
			}
			alter(&plan)
			r.apply(plan)
			r.host.SetUp("bond0")
			fds := []int{packetSocket(t, r.peer, "q0"), packetSocket(t, r.peer, "q1")}
			out := packetSocket(t, r.host, "bond0")
			nstest.Eventually(t, 10*time.Second, func() bool { _, err := unix.Write(out, sent); return err == nil }, "bond0 to send")
			for i, fd := range fds {
				want := slices.Clone(sent)
				copy(want[6:], own[i][:])
				if got := arrival(t, fd, etherType); !bytes.Equal(got, want) {
					t.Errorf("port %d sent\n%x, want\n%x", i, got, want)
				}
			}
		})
	}
}

// A class that is punted is for the daemon's socket on the port, and not for the
// aggregate.
func TestPuntedFramesStayOnThePort(t *testing.T) {
	r := newRig(t)
	plan := r.plan(0)
	plan.Punt = agg.ClassSlow
	r.up(plan)
	r.host.MustPing("192.0.2.2")
	fd := packetSocket(t, r.peer, "q0")
	onPort, onBond := listen(t, r.host, "p0", 0x8809), listen(t, r.host, "bond0", 0x8809)
	if _, err := unix.Write(fd, frame(slow, 0x8809)); err != nil {
		t.Fatal(err)
	}
	if !onPort(true) {
		t.Error("the port's socket did not get the frame")
	}
	if onBond(false) {
		t.Error("the aggregate got the frame")
	}
}

func TestQueuesAreRefusedByName(t *testing.T) {
	r := newRig(t)
	plan := r.plan(0)
	plan.Ports[1].QueueID = 3
	err := r.host.Run(func() error { return r.plane.Apply(t.Context(), plan) })
	if p, ok := errors.AsType[*agg.Problem](err); !ok || p.Option != "queue_id" {
		t.Errorf("got %v", err)
	}
}
