package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// settle is how long the daemon is left alone before it is measured, and idle how long it
// is watched while nothing happens. It looks more often at links that have just come: rest is
// when it does no more, and how long it is watched then, since it looks at many in turn.
const (
	settle = 5 * time.Second
	idle   = 10 * time.Second
	rest   = time.Minute
)

// measureMany puts many aggregates of two ports into one daemon.
func measureMany(ctx context.Context, s settings, rep *report) error {
	near, err := newHost()
	if err != nil {
		return err
	}
	defer near.close()
	far, err := newHost()
	if err != nil {
		return err
	}
	defer far.close()
	for i := range s.many {
		for _, end := range []string{"a", "b"} {
			if err := cable(near, far, fmt.Sprintf("p%d%s", i, end)); err != nil {
				return err
			}
		}
	}
	s.watched = true
	d, err := startDaemon(ctx, near, s)
	if err != nil {
		return err
	}
	defer d.stop(ctx)
	before := d.descriptors()
	start, idleBefore := time.Now(), d.processorTime()
	for i := range s.many {
		if err := d.yoke(ctx, "up", fmt.Sprintf("bond%d", i), fmt.Sprintf("p%da", i), fmt.Sprintf("p%db", i)); err != nil {
			return err
		}
	}
	up, upTime := time.Since(start), d.processorTime()-idleBefore
	wait(ctx, settle)
	soon := d.share(ctx, idle)
	wait(ctx, rest)
	share := d.share(ctx, rest)
	name := fmt.Sprintf("%d aggregates of two ports", s.many)
	rep.add(
		row{"many aggregates: up, one command each", name, up.Seconds(), "s", atMost(s.many, 0, 40), ""},
		row{"many aggregates: processor time of yoked for that", name, upTime.Seconds(), "s", "", "hardly depends on what else the machine does"},
		row{"many aggregates: resident memory", name, d.status("VmRSS") / 1024, "MiB", atMost(s.many, 20, 80), ""},
		row{"many aggregates: idle processor, right after", name, soon, "% of a core", "", ""},
		row{"many aggregates: idle processor, a minute later", name, share, "% of a core", atMost(s.many, 0, 2), ""},
		row{"many aggregates: threads", name, d.status("Threads"), "", "", ""},
	)
	if err := applyOne(ctx, d, s.many, "real interfaces", rep); err != nil {
		return err
	}
	if err := d.yoke(ctx, "down", "--all"); err != nil {
		return err
	}
	wait(ctx, settle)
	together, err := applyFile(ctx, d, s.many, 100)
	if err != nil {
		return err
	}
	rep.add(row{"many aggregates: up, one file", name, together, "s", atMost(s.many, 0, 40), ""})
	if err := d.yoke(ctx, "down", "--all"); err != nil {
		return err
	}
	wait(ctx, settle)
	rep.add(row{"descriptors left after down", name, float64(d.descriptors() - before), "", "0", ""})
	return nil
}

// atMost is a goal for n aggregates: so much at all, and so much for each thousand.
func atMost(n int, base, thousand float64) string {
	return fmt.Sprintf("<= %.3g", base+thousand*float64(n)/1000)
}

func (d *daemon) proc(name string) string {
	return filepath.Join("/proc", strconv.Itoa(d.cmd.Process.Pid), name)
}

func (d *daemon) descriptors() int {
	list, _ := os.ReadDir(d.proc("fd")) // a dead daemon has none
	return len(list)
}

// status reads a number of /proc/PID/status: kB for memory.
func (d *daemon) status(key string) float64 {
	text, _ := os.ReadFile(d.proc("status")) // a dead daemon uses nothing
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, key+":"); ok {
			n, _ := strconv.ParseFloat(strings.Fields(rest)[0], 64) // the kernel writes numbers
			return n
		}
	}
	return 0
}

// share is what the daemon takes of a core, in percent, while nothing happens.
func (d *daemon) share(ctx context.Context, length time.Duration) float64 {
	used := d.processorTime()
	wait(ctx, length)
	return 100 * (d.processorTime() - used).Seconds() / length.Seconds()
}

// processorTime of the daemon, all threads.
func (d *daemon) processorTime() time.Duration {
	text, _ := os.ReadFile(d.proc("stat")) // a dead daemon uses nothing
	_, rest, _ := strings.Cut(string(text), ") ")
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.Atoi(fields[11]) // the kernel writes numbers
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * 10 * time.Millisecond // USER_HZ is 100
}
