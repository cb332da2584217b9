package mem

import (
	"context"
	"fmt"
	"slices"
)

// earQueue bounds the frames that wait in an Ear, as a socket's buffer does.
const earQueue = 256

// Ear hears slow protocols on interfaces of a World, and speaks on them. It has the
// methods of the engine's.
type Ear struct {
	w     *World
	wake  chan struct{}
	hears []int
	queue []heard
}

type heard struct {
	index int
	frame []byte
}

// NewEar returns an ear that hears nothing yet.
func (w *World) NewEar() *Ear {
	e := &Ear{w: w, wake: make(chan struct{}, 1)}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ears[e] = struct{}{}
	return e
}

// Cable joins an interface to one of another world, or of the same: frames that an ear
// sends on either are heard at the other while both have carrier. Its other end may be
// nil, which takes the cable away.
func (w *World) Cable(name string, to func(frame []byte)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if to == nil {
		delete(w.cables, name)
		return
	}
	w.cables[name] = to
}

// Arrive has an interface receive a slow protocol frame.
func (w *World) Arrive(name string, frame []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	l := w.link(name)
	if !l.Carrier {
		return
	}
	for e := range w.ears {
		if slices.Contains(e.hears, l.Index) && len(e.queue) < earQueue {
			e.queue = append(e.queue, heard{l.Index, slices.Clone(frame)})
			select {
			case e.wake <- struct{}{}:
			default:
			}
		}
	}
}

// Hear makes the ear listen on exactly these interfaces.
func (e *Ear) Hear(indexes []int) error {
	e.w.mu.Lock()
	defer e.w.mu.Unlock()
	e.hears = slices.Clone(indexes)
	return nil
}

// Wake receives after frames have come.
func (e *Ear) Wake() <-chan struct{} { return e.wake }

// Take returns the next frame that has come.
func (e *Ear) Take() (ifindex int, frame []byte, ok bool) {
	e.w.mu.Lock()
	defer e.w.mu.Unlock()
	if len(e.queue) == 0 {
		return 0, nil, false
	}
	h := e.queue[0]
	e.queue = e.queue[1:]
	return h.index, h.frame, true
}

// Send sends a frame; it is lost where the interface has no carrier.
func (e *Ear) Send(_ context.Context, ifindex int, frame []byte, _ bool) error {
	e.w.mu.Lock()
	if err := e.w.refuse("send"); err != nil {
		e.w.mu.Unlock()
		return err
	}
	var to func([]byte)
	found := false
	for name, l := range e.w.links {
		if l.Index == ifindex {
			found = true
			if l.Carrier && l.AdminUp {
				to = e.w.cables[name]
			}
		}
	}
	e.w.mu.Unlock()
	if !found {
		return fmt.Errorf("send on interface %d: there is no such interface", ifindex)
	}
	if to != nil {
		to(slices.Clone(frame))
	}
	return nil
}

// Close stops listening.
func (e *Ear) Close() error {
	e.w.mu.Lock()
	defer e.w.mu.Unlock()
	delete(e.w.ears, e)
	return nil
}
