package ethtool

import (
	"errors"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/yokelag/yoke/internal/nstest"
)

func opened(tb testing.TB, ns *nstest.NS) *Socket {
	tb.Helper()
	var s *Socket
	if err := ns.Run(func() (err error) { s, err = Open(); return err }); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { s.Close() })
	return s
}

func TestLinkFollowsCarrier(t *testing.T) {
	nstest.Require(t, "root", "tun")
	ns := nstest.New(t)
	tap, s := ns.Tap("tap0"), opened(t, ns)
	for _, up := range []bool{true, false, true} {
		tap.SetCarrier(up)
		if got, err := s.Link("tap0"); err != nil || got != up {
			t.Errorf("carrier %v: got %v, %v", up, got, err)
		}
	}
	if got, err := s.Settings("tap0"); err != nil || got.Speed == 0 {
		t.Errorf("got %+v, %v", got, err)
	}
	if got, err := s.Driver("tap0"); err != nil || got != "tun" {
		t.Errorf("driver %q, %v", got, err)
	}
	if _, err := s.MIILink("tap0"); err == nil {
		t.Error("a tap has MII registers")
	}
}

// The length of masks is learnt once; a wrong one costs a question more and no answer.
func TestSettingsLearnTheLengthOfMasks(t *testing.T) {
	nstest.Require(t, "root", "tun")
	ns := nstest.New(t)
	ns.Tap("tap0")
	s := opened(t, ns)
	want, err := s.Settings("tap0")
	if err != nil || want.Speed == 0 {
		t.Fatalf("got %+v, %v", want, err)
	}
	right := s.maskWords.Load()
	if right <= 0 {
		t.Fatalf("it learnt %d", right)
	}
	for _, words := range []int32{right, right + 1, maxMaskWords, 0} {
		s.maskWords.Store(words)
		if got, err := s.Settings("tap0"); err != nil || got != want || s.maskWords.Load() != right {
			t.Errorf("with %d words: got %+v, %v, and learnt %d; want %+v and %d", words, got, err, s.maskWords.Load(), want, right)
		}
	}
}

func TestAbsentInterface(t *testing.T) {
	nstest.Require(t, "root")
	s := opened(t, nstest.New(t))
	for _, name := range []string{"absent", "a-name-that-is-too-long"} {
		if _, err := s.Link(name); !errors.Is(err, unix.ENODEV) {
			t.Errorf("Link(%s): %v", name, err)
		}
		if _, err := s.Settings(name); !errors.Is(err, unix.ENODEV) {
			t.Errorf("Settings(%s): %v", name, err)
		}
	}
}

func TestFeatures(t *testing.T) {
	nstest.Require(t, "root", "veth")
	ns := nstest.New(t)
	ns.Veth("eth0", ns, "eth1")
	s := opened(t, ns)
	const tso = "tx-tcp-segmentation"
	for _, on := range []bool{false, true} {
		if err := s.SetFeature("eth0", tso, on); err != nil {
			t.Fatal(err)
		}
		if f, err := s.Feature("eth0", tso); err != nil || f.Active != on || !f.Changeable {
			t.Errorf("set %v: got %+v, %v", on, f, err)
		}
	}
	if _, err := s.Feature("eth0", "no-such-feature"); !errors.Is(err, ErrNoFeature) {
		t.Errorf("got %v", err)
	}
}

// The kernel takes the request and does not do it: segmentation needs scatter-gather, and
// some features are as they are.
func TestFeatureThatIsNotTaken(t *testing.T) {
	nstest.Require(t, "root", "veth")
	ns := nstest.New(t)
	ns.Veth("eth0", ns, "eth1")
	s := opened(t, ns)
	const tso = "tx-tcp-segmentation"
	for _, feature := range []string{tso, "tx-scatter-gather"} {
		if err := s.SetFeature("eth0", feature, false); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.SetFeature("eth0", tso, true); !errors.Is(err, ErrNotTaken) {
		t.Errorf("got %v", err)
	}
	const fixed = "loopback"
	if f, err := s.Feature("eth0", fixed); err != nil || f.Changeable {
		t.Fatalf("got %+v, %v", f, err)
	}
	if err := s.SetFeature("eth0", fixed, true); !errors.Is(err, ErrNotTaken) {
		t.Errorf("got %v", err)
	}
}

func BenchmarkLink(b *testing.B) {
	nstest.Require(b, "root", "veth")
	ns := nstest.New(b)
	ns.Veth("eth0", ns, "eth1")
	s := opened(b, ns)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Link("eth0"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSettings(b *testing.B) {
	nstest.Require(b, "root", "veth")
	ns := nstest.New(b)
	ns.Veth("eth0", ns, "eth1")
	s := opened(b, ns)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Settings("eth0"); err != nil {
			b.Fatal(err)
		}
	}
}
