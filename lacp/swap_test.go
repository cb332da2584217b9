package lacp_test

import (
	"testing"
	"time"

	"github.com/yokelag/yoke/lacp"
)

// A limit of one link, and a better port that comes back: whatever the other end makes of
// it, somebody sends at every millisecond, but for the 50 that a failover may take.
func TestASwapLeavesNoGap(t *testing.T) {
	for name, set := range map[string]func(a, b *lacp.Config){
		"plain":                    func(_, _ *lacp.Config) {},
		"coupled":                  func(a, b *lacp.Config) { a.Coupled, b.Coupled = true, true },
		"the partner waits":        func(_, b *lacp.Config) { b.Wait = lacp.WaitStrict },
		"the partner restores":     func(_, b *lacp.Config) { b.WaitToRestore = 8 * time.Second },
		"the partner never swaps":  func(_, b *lacp.Config) { b.MaxLinks, b.NonRevertive = 1, true },
		"the partner decides":      func(a, b *lacp.Config) { b.MaxLinks, a.SystemPriority, b.SystemPriority = 1, 2, 1 },
		"the partner is slow":      func(a, b *lacp.Config) { a.Short, b.Short = false, false },
		"we give the traffic away": func(a, _ *lacp.Config) { a.Yield = time.Second },
		"we restore":               func(a, _ *lacp.Config) { a.WaitToRestore = 4 * time.Second },
	} {
		for _, away := range []time.Duration{time.Millisecond, 10 * time.Second} {
			t.Run(name+", "+away.String(), func(t *testing.T) {
				a, b := config(1), config(2)
				a.MaxLinks = 1
				set(&a, &b)
				p := newPair(t, 2, a, b).up().run(5*time.Second).want(1, 1)
				p.net.Up(p.wires[0], false)
				p.run(away)
				p.net.Up(p.wires[0], true)
				p.run(50 * time.Millisecond)
				for range 15_000 {
					if p.run(time.Millisecond); sending(p.a) == 0 || sending(p.b) == 0 {
						p.want(1, 1)
					}
				}
				p.want(1, 1)
			})
		}
	}
}

// A port whose partner does not come into sync, or leaves it, takes no place from one whose
// partner does, and has it back when its partner is.
func TestRefusedPlace(t *testing.T) {
	a, b := config(1), config(2)
	a.MaxLinks = 1
	p := newPair(t, 2, a, b)
	refuse := func(on bool) {
		kind := lacp.Undrain
		if on {
			kind = lacp.Drain
		}
		p.nodeB.Give(lacp.Input{Kind: kind, Port: 1})
	}
	carries := func(port uint16) {
		t.Helper()
		p.want(1, 1)
		if _, sends := p.a.Open(port); !sends {
			t.Errorf("port %d does not send: %+v", port, p.a.Gate(port))
		}
	}
	refuse(true)
	p.up().run(3100 * time.Millisecond)
	carries(2)
	p.reason(p.a, 1, lacp.ReasonPartnerNotSync)
	refuse(false)
	p.run(1200 * time.Millisecond)
	carries(1)
	refuse(true)
	p.run(200 * time.Millisecond)
	carries(2)
}
