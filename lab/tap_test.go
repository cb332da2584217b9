package lab

import (
	"context"
	"testing"

	"github.com/yokelag/yoke/internal/ethtool"
	"github.com/yokelag/yoke/internal/nstest"
)

const speedLab = `version: 1
name: speed
hosts:
  a: {addresses: {p1: [10.0.0.1/24]}}
  b: {addresses: {eth0: [10.0.0.2/24]}}
switches:
  s1: {kind: bridge}
cables:
  c1: {ends: ["a:p1", s1]}
  c2: {ends: ["b:eth0", s1]}
probes:
  out: {from: a, to: b}
  in: {from: b, to: a}
duration: 2500ms
faults:
  - {at: 200ms, do: speed, cable: c1, speed: 100}
expect: # a switch may take a second to use a carrier that came back
  - {probe: out, lost: 2300, duplicates: 0}
  - {probe: in, lost: 2300, duplicates: 0}
  - {port: "a:p1", tx_min: 200, rx_min: 200}
`

// A cable whose speed changes carries frames as any other.
func TestCableOfAnotherSpeedCarries(t *testing.T) {
	nstest.Require(t, "root", "veth", "bridge", "tun")
	f, err := Parse("speed", []byte(speedLab))
	if err != nil {
		t.Fatal(err)
	}
	r, err := Run(t.Context(), f, Options{Yoked: "not-needed"})
	if err != nil {
		t.Fatal(err)
	}
	if !r.OK {
		t.Errorf("%+v", r)
	}
}

func TestSpeedIsWhatEthtoolTells(t *testing.T) {
	nstest.Require(t, "root", "veth", "bridge", "tun")
	f, err := Parse("speed", []byte(speedLab))
	if err != nil {
		t.Fatal(err)
	}
	l, err := Build(t.Context(), f, Options{Yoked: "not-needed"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}()
	speed := func() (megabits uint32) {
		t.Helper()
		err := l.hosts["a"].space.do(func() error {
			s, err := ethtool.Open()
			if err != nil {
				return err
			}
			defer s.Close()
			settings, err := s.Settings("p1")
			megabits = settings.Speed
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return megabits
	}
	if got := speed(); got != firstSpeed {
		t.Errorf("the first speed is %d", got)
	}
	for _, fault := range []Fault{
		{Do: Speed, Cable: "c1", Speed: 100}, {Do: Speed, Cable: "c1", Speed: 2500, From: "a"},
	} {
		if _, err := l.Cause(t.Context(), fault); err != nil {
			t.Fatal(err)
		}
		if got := speed(); got != uint32(fault.Speed) {
			t.Errorf("%v: the speed is %d", fault, got)
		}
	}
	for _, do := range []Action{Pull, Plug, Remove, Insert} {
		if _, err := l.Cause(t.Context(), Fault{Do: do, Cable: "c1"}); err != nil {
			t.Fatal(err)
		}
		want := do == Plug || do == Insert
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		err := waitFor(ctx, "carrier", func() (ok bool, err error) {
			err = l.hosts["a"].space.do(func() error { ok = hasCarrier("p1") == want; return nil })
			return ok, err
		})
		cancel()
		if err != nil {
			t.Fatalf("after %s: %v", do, err)
		}
	}
}
