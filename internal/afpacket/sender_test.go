package afpacket

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/yokelag/yoke/internal/nstest"
)

func opened(t *testing.T, ns *nstest.NS) *Sender {
	t.Helper()
	var s *Sender
	if err := ns.Run(func() (err error) { s, err = NewSender(); return err }); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestFrameLeavesTheInterface(t *testing.T) {
	nstest.Require(t, "root", "tun")
	ns := nstest.New(t)
	tap, s := ns.Tap("tap0"), opened(t, ns)
	frame := append([]byte{1, 0x80, 0xc2, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x88, 0x09}, make([]byte, 46)...)
	if err := s.Send(t.Context(), ns.Index("tap0"), frame); err != nil {
		t.Fatal(err)
	}
	for b := make([]byte, 2048); ; { // the host's own chatter may come first
		n, err := tap.Read(b)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Equal(b[:n], frame) {
			return
		}
	}
}

func TestErrorsNameTheInterface(t *testing.T) {
	nstest.Require(t, "root", "veth")
	ns := nstest.New(t)
	ns.Veth("eth0", ns, "eth1")
	s := opened(t, ns)
	frame := make([]byte, 60)
	if err := s.Send(t.Context(), 4711, frame); !errors.Is(err, unix.ENXIO) && !errors.Is(err, unix.ENODEV) {
		t.Errorf("absent: %v", err)
	}
	ns.SetDown("eth0")
	if err := s.Send(t.Context(), ns.Index("eth0"), frame); !errors.Is(err, unix.ENETDOWN) {
		t.Errorf("down: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Send(ctx, ns.Index("eth1"), frame); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}
