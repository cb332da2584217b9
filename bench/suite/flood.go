package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/yokelag/yoke/control"
	"github.com/yokelag/yoke/wire/slow"
)

// floodRate is how many frames of slow protocols a second one port gets, in portions of
// floodAtOnce; floodLags aggregates of two ports speak meanwhile.
const (
	floodRate   = 100000
	floodAtOnce = 500
	floodLags   = 8
)

// measureFlood floods one port with slow protocols and looks at the daemon and at all
// other ports.
func measureFlood(ctx context.Context, s settings, rep *report) error {
	r, err := newFleetRig(ctx, s, floodLags)
	defer r.close(ctx)
	if err != nil {
		return err
	}
	quiet, err := r.watch(ctx, idle)
	if err != nil {
		return err
	}
	flooded := r.fleet.ports[0][1]
	flooded.flooded = true
	var sent int
	var sendErr error
	stop, done := context.WithCancel(ctx)
	var sender sync.WaitGroup
	sender.Go(func() { sent, sendErr = flood(stop, r.far, flooded.index) })
	loud, err := r.watch(ctx, idle)
	done()
	sender.Wait()
	if err := errors.Join(err, sendErr); err != nil {
		return err
	}
	counted, err := r.daemon.unread(ctx, "bond0", "p0a")
	if err != nil {
		return err
	}
	name := fmt.Sprintf("one of %d ports gets %.0f frames a second", 2*floodLags, float64(sent)/idle.Seconds())
	rep.add(
		row{"flood of slow protocols: processor of yoked", name, loud.share, "% of a core", "", fmt.Sprintf("%.2f without", quiet.share)},
		row{"flood of slow protocols: resident memory of yoked", name, loud.memory, "MiB", "", fmt.Sprintf("%.1f before", quiet.memory)},
		row{"flood of slow protocols: latest LACPDU of the other ports", name, loud.late, "ms", "<= 100", fmt.Sprintf("%.1f without", quiet.late)},
		row{"flood of slow protocols: counted by status", name, 100 * float64(counted) / float64(sent), "%", "", "lost unread; the others were read"},
	)
	return nil
}

// flood sends at floodRate until ctx ends, and returns how many frames that were.
func flood(ctx context.Context, h *host, index int) (sent int, err error) {
	fd := -1
	err = h.Do(func() (err error) {
		fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
		return err
	})
	if err != nil {
		return 0, err
	}
	defer unix.Close(fd)
	m := slow.Marker{Version: slow.Version1, Type: slow.MarkerInformation}
	frame := m.AppendFrame(nil, slow.Group(), slow.Addr{2, 0xfd, 0, 0, 0, 1})
	var out outbox
	for begin := time.Now(); ctx.Err() == nil; {
		for due := int(time.Since(begin).Seconds() * floodRate); sent+floodAtOnce <= due; sent += floodAtOnce {
			for range floodAtOnce {
				out.add(index, frame)
			}
			if err := out.send(fd); err != nil {
				return sent, err
			}
		}
		wait(ctx, time.Millisecond)
	}
	return sent, nil
}

// unread is what a port counts as lost for a flood.
func (d *daemon) unread(ctx context.Context, aggregate, port string) (uint64, error) {
	var text []byte
	err := d.host.Do(func() (err error) {
		text, err = exec.CommandContext(ctx, filepath.Join(d.bin, "yoke"), "--socket", d.socket(), "status", aggregate, "-o", "json").Output()
		return err
	})
	var list control.StatusList
	if err := errors.Join(err, json.Unmarshal(text, &list)); err != nil {
		return 0, fmt.Errorf("status of %s: %w", aggregate, err)
	}
	for _, a := range list.Aggregates {
		for _, p := range a.Ports {
			if p.Name == port && p.LACP != nil {
				return p.LACP.Counters["rx_unread"], nil
			}
		}
	}
	return 0, fmt.Errorf("%s has no port %s that speaks LACP", aggregate, port)
}
