package engine_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/yokelag/yoke/agg"
)

// numbers are those of the ports in LACPDUs, by name.
func numbers(s agg.Status) map[string]uint16 {
	out := map[string]uint16{}
	for _, p := range s.Ports {
		if p.LACP != nil {
			out[p.Name] = p.LACP.Number
		}
	}
	return out
}

// A port of 802.3ad that is renamed keeps its number and goes on hearing and speaking: the
// partner sees nothing. The fast rate gives up what is deaf within the time.
func TestPartnerDoesNotNoticeARename(t *testing.T) {
	for run := range 8 { // what is looked up in a map is not found in the same order twice
		synctest.Test(t, func(t *testing.T) {
			fast := map[string]string{"lacp_rate": "fast"}
			p := newPair(t, lacpSpec(t, fast, "eth1", "eth2"), lacpSpec(t, fast, "eth1", "eth2"))
			p.start()
			defer p.stop()
			p.a.quiet(5 * time.Second)
			before, seq := numbers(p.a.status()), lastSeq(p.b.e)
			p.a.world.Rename("eth1", "lan1")
			p.cableTo("lan1", "eth1")
			p.a.quiet(10 * time.Second)
			s := p.a.status()
			if got := numbers(s); got["lan1"] != before["eth1"] || got["eth2"] != before["eth2"] || len(got) != 2 {
				t.Errorf("run %d: numbers %v, before %v", run, got, before)
			}
			if s.Carrying != 2 {
				t.Errorf("run %d: %s", run, s.Summary)
			}
			if events, _ := p.b.e.Events(seq); len(events) != 0 {
				t.Errorf("run %d: the partner saw %+v", run, events)
			}
		})
	}
}

// A port that somebody else has taken frees its number for the next one.
func TestALostPortFreesItsNumber(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, lacpSpec(t, nil, "eth1", "eth2", "eth3"))
		r.start()
		defer func() { _ = r.stop() }()
		r.quiet(time.Second)
		r.world.Change("eth1", func(l *agg.LinkFacts) { l.Master = "br0" })
		r.quiet(time.Second)
		r.world.AddLink("eth4")
		if err := r.e.Update(t.Context(), lacpSpec(t, nil, "eth2", "eth3", "eth4")); err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(numbers(r.status())); got != "map[eth2:2 eth3:3 eth4:1]" {
			t.Errorf("numbers %s", got)
		}
	})
}
