package demo

import (
	"context"
	"fmt"
	"time"

	"github.com/yokelag/yoke/lab"
)

// pulls pulls the cable that carries, again and again, on both aggregates by turns,
// while probes run both ways.
func (g *guide) pulls(ctx context.Context, _ *Result) error {
	g.say("Pulling the cable that carries, %d times each, with a probe every millisecond both ways:", g.options.Pulls)
	running := make([]probes, len(g.subjects))
	events := make([][]lab.FaultTime, len(g.subjects))
	for i, s := range g.subjects {
		p, err := g.start(s)
		if err != nil {
			g.abandon(running[:i])
			return err
		}
		running[i] = p
	}
	for round := range g.options.Pulls {
		if err := g.round(ctx, round, running, events); err != nil {
			g.abandon(running)
			return err
		}
	}
	for i, s := range g.subjects {
		out, in := running[i].stop(events[i])
		s.result.Out, s.result.In = failover(out), failover(in)
		g.say("  %s: to the peer %s; from it %s", s.aggregate, s.result.Out, s.result.In)
	}
	g.say("")
	return nil
}

func (g *guide) abandon(running []probes) {
	for _, p := range running {
		p.stop(nil)
	}
}

// round pulls one cable of each aggregate and plugs both again.
func (g *guide) round(ctx context.Context, round int, running []probes, events [][]lab.FaultTime) error {
	pulled := make([]string, len(g.subjects))
	for i, s := range g.subjects {
		cable, err := g.lab.BusiestCable(ctx, s.host, s.cables, 40*time.Millisecond)
		if err != nil {
			return err
		}
		if s.result.Mode != "active-backup" {
			cable = s.cables[round%len(s.cables)] // all of them carry
		}
		pulled[i] = cable
		var before map[int]string
		if round == 0 {
			if before, err = g.lab.FlowCables(ctx, running[i].out, s.cables, 200*time.Millisecond); err != nil {
				return err
			}
		}
		t, err := g.lab.Cause(ctx, lab.Fault{Do: lab.Pull, Cable: cable})
		if err != nil {
			return err
		}
		events[i] = append(events[i], t)
		if err := wait(ctx, quiet/2); err != nil {
			return err
		}
		if round == 0 {
			after, err := g.lab.FlowCables(ctx, running[i].out, s.cables, 200*time.Millisecond)
			if err != nil {
				return err
			}
			s.result.Flows = moved(before, after, cable)
			g.say("%s", g.lab.Picture())
		}
	}
	for i, cable := range pulled {
		t, err := g.lab.Cause(ctx, lab.Fault{Do: lab.Plug, Cable: cable})
		if err != nil {
			return err
		}
		events[i] = append(events[i], t)
	}
	for _, cable := range pulled {
		if err := g.lab.WaitPlugged(ctx, cable); err != nil {
			return err
		}
	}
	return wait(ctx, quiet/2)
}

// moved compares the cables of the flows that were seen both times.
func moved(before, after map[int]string, pulled string) *Flows {
	var f Flows
	for flow, was := range before {
		is, seen := after[flow]
		if !seen {
			continue
		}
		f.Seen++
		if was == pulled {
			f.OnPulled++
		}
		if was != is {
			f.Moved++
		}
	}
	if f.Seen == 0 {
		return nil
	}
	return &f
}

// failover sums up a stream whose faults were pull, plug, pull, plug.
func failover(s lab.Stream) Failover {
	f := Failover{Sent: s.Sent}
	var outages []time.Duration
	for i, o := range s.Outages {
		f.Lost += o.Lost
		if i%2 != 0 {
			continue
		}
		f.Pulls++
		if o.Open {
			f.Open++
			continue
		}
		outages = append(outages, o.Failover)
		f.Worst = max(f.Worst, o.Failover)
	}
	f.Median = median(outages)
	return f
}

// String tells it in words.
func (f Failover) String() string {
	text := fmt.Sprintf("median %s, worst %s, %d of %d frames lost", spacing(f.Median), spacing(f.Worst), f.Lost, f.Sent)
	if f.Open > 0 {
		text += fmt.Sprintf(", %d of %d pulls not recovered", f.Open, f.Pulls)
	}
	return text
}

// spacing writes a time that a probe every millisecond can tell.
func spacing(d time.Duration) string {
	if d == 0 {
		return "under 1 ms"
	}
	return fmt.Sprintf("%.1f ms", float64(d)/1e6)
}
