package daemon

import (
	"errors"
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/engine"
	"github.com/yokelag/yoke/plane/keepalive"
)

// keeper makes what speaks LACP on ports an engine.KeepAlive. It loads its programs when
// the first port is to be spoken on, so that modes without LACP pay nothing.
type keeper struct {
	options keepalive.Options
	open    *keepalive.Keeper
}

var _ engine.KeepAlive = (*keeper)(nil)

// engine is k, or nil where there is none.
func (k *keeper) engine() engine.KeepAlive {
	if k == nil {
		return nil
	}
	return k
}

func (k *keeper) opened() (*keepalive.Keeper, error) {
	if k.open != nil {
		return k.open, nil
	}
	var err error
	k.open, err = keepalive.Open(k.options)
	return k.open, err
}

// Every implements engine.KeepAlive.
func (k *keeper) Every() time.Duration { return keepalive.BeatEvery }

// Beat implements engine.KeepAlive.
func (k *keeper) Beat(now agg.Instant) error {
	if k.open == nil {
		return nil
	}
	return k.open.Beat(now)
}

// Set implements engine.KeepAlive.
func (k *keeper) Set(ifindex int, w engine.Words) error {
	open, err := k.opened()
	if err != nil {
		return err
	}
	return open.Set(ifindex, keepalive.State{Speak: w.Speak, MaxOrphan: w.MaxOrphan, Actor: w.Actor, Partner: w.Partner, Source: w.MAC})
}

// Kept implements engine.KeepAlive.
func (k *keeper) Kept(ifindex int) (engine.Kept, bool, error) {
	open, err := k.opened()
	if err != nil {
		return engine.Kept{}, false, err
	}
	n, ok, err := open.Noted(ifindex)
	return engine.Kept{Beat: n.Beat, Spoken: n.Spoken, Answers: n.Answers, Stopped: string(n.Stopped)}, ok, err
}

// Mend implements engine.KeepAlive.
func (k *keeper) Mend() (ports int, err error) {
	if k.open == nil {
		return 0, nil
	}
	return k.open.Mend()
}

// Remove implements engine.KeepAlive.
func (k *keeper) Remove(ifindex int) error {
	open, err := k.opened()
	if err != nil {
		return err
	}
	return open.Remove(ifindex)
}

// close leaves what speaks where it is; removeAll takes it off the ports. Both are nil-safe.
func (k *keeper) close() error {
	if k == nil || k.open == nil {
		return nil
	}
	return k.open.Close()
}

func (k *keeper) removeAll() error {
	if k == nil || k.open == nil {
		return nil
	}
	return errors.Join(k.open.RemoveAll(), k.open.Close())
}
