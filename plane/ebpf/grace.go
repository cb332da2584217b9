package ebpf

import (
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// oldEnough is how long after a flip a slot counts as left by every reader on kernels
// that cannot be asked to wait for them.
const oldEnough = time.Second

// grace knows which slots of plans no program can be reading any more. A slot that was
// in force is free again after an RCU grace period, which is waited for in the
// background, once for all slots that wait.
type grace struct {
	mu      sync.Mutex
	changed *sync.Cond
	// busy holds the flip at which each slot was left; 0 means free.
	busy    [slots]uint64
	flips   uint64
	waiting bool
	closed  bool
}

func newGrace() *grace {
	g := &grace{}
	g.changed = sync.NewCond(&g.mu)
	return g
}

// left notes that slot has just been taken out of force.
func (g *grace) left(slot uint32) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.flips++
	g.busy[slot] = g.flips
	if !g.waiting && !g.closed {
		g.waiting = true
		go g.wait()
	}
}

// wait frees the slots that were left before a grace period began, until none waits.
func (g *grace) wait() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for {
		until := g.flips
		g.mu.Unlock()
		gracePeriod()
		g.mu.Lock()
		rest := false
		for i, at := range g.busy {
			if at <= until {
				g.busy[i] = 0
			} else {
				rest = true
			}
		}
		g.changed.Broadcast()
		if !rest || g.closed {
			g.waiting = false
			g.changed.Broadcast()
			return
		}
	}
}

// free returns a slot that may be written and is not current.
func (g *grace) free(current uint32) uint32 {
	g.mu.Lock()
	defer g.mu.Unlock()
	for {
		for i := range uint32(slots) {
			if i != current && g.busy[i] == 0 {
				return i
			}
		}
		g.changed.Wait()
	}
}

// close waits for the background to end.
func (g *grace) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = true
	for g.waiting {
		g.changed.Wait()
	}
}

// gracePeriod returns after every program that runs now has ended.
func gracePeriod() {
	const global = 1 // MEMBARRIER_CMD_GLOBAL
	if _, _, errno := unix.Syscall(unix.SYS_MEMBARRIER, global, 0, 0); errno != 0 {
		time.Sleep(oldEnough)
	}
}
