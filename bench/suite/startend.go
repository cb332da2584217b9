package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"sync"
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/control"
	"github.com/yokelag/yoke/lacp"
)

// startEnd is a daemon whose events are followed, so that no question disturbs it.
type startEnd struct {
	*daemon
	follower *exec.Cmd

	mu sync.Mutex
	// open are the ports that distribute; linked is when the first link was usable, and
	// opened when the last port began to distribute, since begin.
	open           map[string]bool
	linked, opened agg.Instant
	changed        chan struct{}
}

func (e *startEnd) follow() error {
	e.follower = exec.Command(filepath.Join(e.bin, "yoke"), "--socket", e.socket(), "events", "bond0", "--follow", "-o", "json")
	out, err := e.follower.StdoutPipe()
	if err != nil {
		return err
	}
	if err := e.host.Do(e.follower.Start); err != nil {
		return fmt.Errorf("follow events: %w", err)
	}
	go e.read(out)
	return nil
}

func (e *startEnd) read(out io.Reader) {
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		var item control.StreamItem
		if json.Unmarshal(lines.Bytes(), &item) == nil && item.Event != nil {
			e.take(*item.Event)
		}
	}
}

func (e *startEnd) take(ev agg.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case ev.Kind == "watch" && ev.Cause == "link-up" && e.linked == agg.Never:
		e.linked = ev.Time
	case ev.Kind == "lacp" && ev.To == lacp.MuxDistributing.String():
		e.open[ev.Port] = true
		e.opened = ev.Time
	case ev.Kind == "lacp" && ev.From == lacp.MuxDistributing.String():
		delete(e.open, ev.Port)
	default:
		return
	}
	select {
	case e.changed <- struct{}{}:
	default:
	}
}

// begin forgets the times of the start before.
func (e *startEnd) begin() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.linked, e.opened = agg.Never, agg.Never
}

func (e *startEnd) times() (linked, opened agg.Instant) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.linked, e.opened
}

func (e *startEnd) count() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.open)
}

// await waits until so many ports distribute.
func (e *startEnd) await(ctx context.Context, ports int) error {
	end := time.After(15 * time.Second)
	for e.count() != ports {
		select {
		case <-e.changed:
		case <-ctx.Done():
			return ctx.Err()
		case <-end:
			return fmt.Errorf("%d ports distribute after 15 s, not %d", e.count(), ports)
		}
	}
	return nil
}

func (e *startEnd) close(ctx context.Context) {
	if e.follower != nil && e.follower.Process != nil {
		_ = e.follower.Process.Kill()
		_ = e.follower.Wait() // its exit status is that of the signal
	}
	e.stop(ctx)
}
