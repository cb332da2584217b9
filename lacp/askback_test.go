package lacp_test

import (
	"testing"
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/lacp"
	"github.com/yokelag/yoke/lacp/lacptest"
	"github.com/yokelag/yoke/wire/slow"
)

// A slow system asks a fast partner back, and no more when the partner is slow; two that
// would ask back leave each other slow.
func TestAskBack(t *testing.T) {
	config := func(last byte, short bool) lacp.Config {
		return lacp.Config{System: agg.MAC{2, 0, 0, 0, 0, last}, Active: true, Short: short, AskBack: true, Strict: true}
	}
	net := lacptest.New()
	a, left, _ := net.AddSystem("a", config(1, false), 1)
	b, right, _ := net.AddSystem("b", config(2, true), 1)
	net.Up(net.Connect(a, 1, b, 1), true)
	asks := func(what string, want bool, both ...*lacp.System) {
		t.Helper()
		if err := net.Run(5 * time.Second); err != nil {
			t.Fatal(err)
		}
		for i, s := range both {
			if p, _ := s.Port(1); p.Actor.State.Has(slow.Timeout) != want || p.Mux != "DISTRIBUTING" {
				t.Errorf("%s: system %d: %s %v", what, i, p.Mux, p.Actor.State)
			}
		}
	}
	asks("fast partner", true, left, right)
	c := config(2, false)
	c.Ports = portsOf("b", 2, 1)
	b.Give(lacp.Input{At: right.Now(), Kind: lacp.Configure, Conf: &c})
	asks("slow partner", false, left, right)
}
