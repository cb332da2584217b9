package engine_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/lacp"
	"github.com/yokelag/yoke/lacp/trace"
)

// What an engine went through is repeated bit for bit, and idle turns take no room.
func TestTrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t, lacpSpec(t, map[string]string{"lacp_rate": "fast"}, "eth1", "eth2"), lacpSpec(t, nil, "eth1", "eth2"))
		p.start()
		defer p.stop()
		p.a.quiet(5 * time.Second)
		p.carrier("eth2", false)
		p.a.quiet(5 * time.Second)
		p.lose("b.eth1", true)
		p.a.quiet(10 * time.Second)
		tr, err := p.a.e.Trace(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		expired := false
		if err := tr.Replay(func(_ *lacp.System, r trace.Record) {
			for _, m := range r.Moves {
				expired = expired || m.Row == lacp.RX13
			}
		}); err != nil {
			t.Error(err)
		}
		if !expired || len(tr.Records) > 150 {
			t.Errorf("expired %v, %d steps in 20 s", expired, len(tr.Records))
		}
	})
}

func TestNoTraceWithoutLACP(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, spec(t, nil, "eth1"))
		r.start()
		defer func() { _ = r.stop() }()
		_, err := r.e.Trace(t.Context())
		if _, ok := errors.AsType[*agg.Problem](err); !ok {
			t.Errorf("got %v", err)
		}
	})
}
