package main

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/bootclock"
	"github.com/yokelag/yoke/lacp"
	"github.com/yokelag/yoke/lacp/trace"
)

// The LACP machines that are measured: so many systems of so many ports, and as many at
// the other ends of the cables.
const (
	lacpSystems = 125
	lacpPorts   = 8
)

// lacpEnd is one system with its ring.
type lacpEnd struct {
	system *lacp.System
	ring   trace.Ring
	peer   *lacpEnd
	near   bool
}

// lacpFarm steps pairs of systems by the clock of the machine.
type lacpFarm struct {
	ends []*lacpEnd
	// spent is the time in steps of the near ends, late the worst delay of a tick.
	spent, late time.Duration
	sent        int
}

// measureMachines steps 1,000 ports of lacp_rate fast in one process, without sockets.
func measureMachines(ctx context.Context, _ settings, rep *report) error {
	before := heap()
	f := &lacpFarm{}
	for i := range lacpSystems {
		near, far := &lacpEnd{near: true}, &lacpEnd{}
		near.peer, far.peer = far, near
		for j, e := range []*lacpEnd{near, far} {
			conf := lacp.Config{System: agg.MAC{2, byte(j), 0, 0, byte(i >> 8), byte(i)}, Active: true, Short: true, Strict: true}
			for p := range lacpPorts {
				conf.Ports = append(conf.Ports, lacp.Port{Number: uint16(p + 1), Priority: 255, MAC: agg.MAC{2, byte(j), 0, 1, byte(i), byte(p)}})
			}
			var err error
			if e.system, err = lacp.New(conf); err != nil {
				return err
			}
			f.ends = append(f.ends, e)
		}
	}
	begin := agg.Instant(bootclock.Now())
	for _, e := range f.ends {
		for p := range lacpPorts {
			f.give(e, lacp.Input{At: begin, Kind: lacp.LinkChanged, Port: uint16(p + 1), Link: lacp.Link{Up: true, Speed: 10000, FullDuplex: true}})
		}
	}
	f.run(ctx, settle)
	f.spent, f.late, f.sent = 0, 0, 0
	f.run(ctx, idle)
	name := fmt.Sprintf("%d ports of lacp_rate fast", lacpSystems*lacpPorts)
	open := 0
	for _, e := range f.ends {
		for _, n := range e.system.Ports() {
			if _, sends := e.system.Open(n); sends && e.near {
				open++
			}
		}
	}
	rep.add(
		row{"LACP machines alone: ports that distribute", name, float64(open), "", fmt.Sprint(lacpSystems * lacpPorts), ""},
		row{"LACP machines alone: processor", name, 100 * f.spent.Seconds() / idle.Seconds(), "% of a core", "<= 2", "one end, with rings, without sockets"},
		row{"LACP machines alone: LACPDUs of one end", name, float64(f.sent) / idle.Seconds(), "a second", "", ""},
		row{"LACP machines alone: latest tick", name, float64(f.late.Microseconds()) / 1000, "ms", "<= 100", "both ends step in one thread"},
		row{"LACP machines alone: memory", name, float64(heap()-before) / 2 / (1 << 20), "MiB", "", "one end, with rings that have run for a quarter of a minute"},
	)
	return nil
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// run steps every end at its deadline, for d.
func (f *lacpFarm) run(ctx context.Context, d time.Duration) {
	for end := agg.Instant(bootclock.Now()).Add(d); ctx.Err() == nil; {
		next := end
		for _, e := range f.ends {
			if at := e.system.Deadline(); at != agg.Never && at < next {
				next = at
			}
		}
		wait(ctx, next.Sub(agg.Instant(bootclock.Now())))
		now := agg.Instant(bootclock.Now())
		if now >= end {
			return
		}
		for _, e := range f.ends {
			if at := e.system.Deadline(); at != agg.Never && at <= now {
				f.late = max(f.late, now.Sub(at))
				f.give(e, lacp.Input{At: now, Kind: lacp.Tick})
			}
		}
	}
}

// give steps an end, and hands what it sends to the other at once.
func (f *lacpFarm) give(e *lacpEnd, in lacp.Input) {
	start := time.Now()
	out := e.ring.Step(e.system, in)
	if e.near {
		f.spent += time.Since(start)
		f.sent += len(out.Send)
	}
	// The output is valid until the next step, which an answer may cause.
	var frames []lacp.Send
	for _, s := range out.Send {
		s.Frame = append([]byte(nil), s.Frame...)
		frames = append(frames, s)
	}
	for _, s := range frames {
		f.give(e.peer, lacp.Input{At: in.At, Kind: lacp.Received, Port: s.Port, Frame: s.Frame})
	}
}
