package lab

import (
	"context"
	"testing"

	"github.com/yokelag/yoke/internal/nstest"
)

const chain = `version: 1
name: chain
hosts:
  a: {addresses: {p1: [10.0.0.1/24]}}
  b: {addresses: {eth0: [10.0.0.2/24]}}
switches:
  s1: {kind: bridge, uplink_tracking: [isl]}
  s2: {kind: bridge, uplink_tracking: [up]}
cables:
  down: {ends: ["a:p1", s1]}
  isl: {ends: [s2, s1]}
  up: {ends: [s2, "b:eth0"]}
faults:
  - {do: lose, cable: down} # so that this cable has a middle
`

// A switch whose uplink is gone takes the carrier of its downlinks, through other
// switches that do the same, and gives it back.
func TestUplinkTracking(t *testing.T) {
	nstest.Require(t, "root", "veth", "bridge")
	f, err := Parse("chain", []byte(chain))
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
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	carrier := func(want bool) {
		t.Helper()
		err := waitFor(ctx, "carrier of p1", func() (ok bool, err error) {
			err = l.hosts["a"].space.do(func() error { ok = hasCarrier("p1") == want; return nil })
			return ok, err
		})
		if err != nil {
			t.Fatalf("carrier %v: %v\n%s", want, err, l.Picture())
		}
	}
	carrier(true)
	for _, x := range []struct {
		do    Action
		cable string
		want  bool
	}{
		{Pull, "up", false}, {Plug, "up", true}, {Pull, "isl", false},
		{Pull, "down", false}, {Plug, "isl", false}, {Plug, "down", true},
		{Remove, "up", false}, {Insert, "up", true},
	} {
		if _, err := l.Cause(ctx, Fault{Do: x.do, Cable: x.cable}); err != nil {
			t.Fatal(err)
		}
		carrier(x.want)
	}
}
