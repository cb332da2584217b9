package main

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/lacp"
)

// measureMillion steps two systems of 64 ports that speak every second, by a clock of their
// own, until each has heard and said a million LACPDUs.
func measureMillion(ctx context.Context, _ settings, rep *report) error {
	const million = 1_000_000
	var ends [2]*lacp.System
	for i := range ends {
		conf := lacp.Config{System: agg.MAC{2, byte(i)}, Active: true, Short: true, Strict: true}
		for p := range agg.MaxPorts {
			conf.Ports = append(conf.Ports, lacp.Port{Number: uint16(p + 1), Priority: 255, MAC: agg.MAC{2, byte(i), 1, 0, 0, byte(p)}})
		}
		s, err := lacp.New(conf)
		if err != nil {
			return err
		}
		ends[i] = s
	}
	at, heard := agg.Instant(time.Hour), 0
	// give steps an end and hands what it says to the other, until both are silent.
	var give func(i int, in lacp.Input)
	give = func(i int, in lacp.Input) {
		for _, s := range ends[i].Step(in).Send {
			heard++
			give(1-i, lacp.Input{At: at, Kind: lacp.Received, Port: s.Port, Frame: s.Frame})
		}
	}
	for p := range agg.MaxPorts {
		for i := range ends {
			give(i, lacp.Input{At: at, Kind: lacp.LinkChanged, Port: uint16(p + 1), Link: lacp.Link{Up: true, Speed: 10000, FullDuplex: true}})
		}
	}
	second := func() {
		at = at.Add(time.Second)
		for i := range ends {
			give(i, lacp.Input{At: at, Kind: lacp.Tick})
		}
	}
	for range 10 {
		second()
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	heard = 0
	used := ownTime()
	for heard < 2*million && ctx.Err() == nil {
		second()
	}
	used = ownTime() - used
	runtime.ReadMemStats(&after)
	for _, n := range ends[0].Ports() {
		if _, sends := ends[0].Open(n); !sends {
			return fmt.Errorf("port %d does not distribute", n)
		}
	}
	name := fmt.Sprintf("two systems of %d ports, each", agg.MaxPorts)
	rep.add(
		row{"LACP machines alone: a million LACPDUs heard and said", name, used.Seconds() / 2, "s", "<= 2", "processor time"},
		row{"LACP machines alone: allocations meanwhile", name, float64(after.Mallocs - before.Mallocs), "", "next to 0", ""},
	)
	return nil
}
