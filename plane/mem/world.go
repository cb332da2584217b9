package mem

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"

	"github.com/yokelag/yoke/agg"
)

// World is a kernel in memory. Its methods may be called by any goroutine.
type World struct {
	clock Clock

	mu         sync.Mutex
	lastIndex  int
	links      map[string]*agg.LinkFacts
	renamed    map[string]string // by the name before
	aggregates map[string]*aggregate
	subs       map[*subscriber]struct{}
	ears       map[*Ear]struct{}
	cables     map[string]func(frame []byte)
	muted      bool
	refuse     func(op string) error
	sent       []Sent
	// random places frames of agg.SelectRandom, the same way in every run.
	random *rand.Rand
}

// Clock is the boot clock.
type Clock interface{ Now() agg.Instant }

// Sent is a frame that the daemon sent by itself.
type Sent struct {
	Port  string
	Frame []byte
}

type subscriber struct {
	names []string
	wake  chan struct{}
}

// NewWorld returns a world without interfaces.
func NewWorld(clock Clock) *World {
	return &World{
		clock: clock, links: map[string]*agg.LinkFacts{}, renamed: map[string]string{}, aggregates: map[string]*aggregate{},
		subs: map[*subscriber]struct{}{}, ears: map[*Ear]struct{}{}, cables: map[string]func([]byte){}, refuse: func(string) error { return nil },
		random: rand.New(rand.NewPCG(1, 2)),
	}
}

// AddLink makes an interface that is up, with carrier, 10000 Mb/s and an address made
// of its ifindex, and returns the ifindex. One of the same name is replaced.
func (w *World) AddLink(name string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lastIndex++
	i := w.lastIndex
	w.links[name] = &agg.LinkFacts{
		Name: name, Index: i, Present: true, AdminUp: true, Carrier: true, Speed: 10000, FullDuplex: true,
		MAC: agg.MAC{2, 0, 0, 0, byte(i >> 8), byte(i)}, MTU: 1500,
	}
	w.changed(name)
	return i
}

// DeleteLink removes an interface.
func (w *World) DeleteLink(name string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.links, name)
	w.changed(name)
}

// Rename gives an interface another name, where it is present. Its cable stays, and so does
// what an aggregate knows of its port.
func (w *World) Rename(from, to string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	l, ok := w.links[from]
	if !ok {
		return
	}
	l.Name = to
	w.links[to], w.renamed[from] = l, to
	delete(w.links, from)
	if cable, ok := w.cables[from]; ok {
		w.cables[to] = cable
		delete(w.cables, from)
	}
	for _, a := range w.aggregates {
		if t, ok := a.ports[from]; ok {
			t.before.Name, a.ports[to] = to, t
			delete(a.ports, from)
		}
	}
	w.changed(from)
	w.changed(to)
}

// Change alters an interface where it is present.
func (w *World) Change(name string, alter func(l *agg.LinkFacts)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	l, ok := w.links[name]
	if !ok {
		return
	}
	before := *l
	if alter(l); *l != before {
		w.changed(name)
	}
}

// SetCarrier pulls the cable of an interface or puts it back.
func (w *World) SetCarrier(name string, up bool) {
	w.Change(name, func(l *agg.LinkFacts) { l.Carrier = up })
}

// Link returns the facts of one interface.
func (w *World) Link(name string) agg.LinkFacts {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.link(name)
}

func (w *World) link(name string) agg.LinkFacts {
	if l, ok := w.links[name]; ok {
		facts := *l
		facts.Carrier = l.Carrier && l.AdminUp
		return facts
	}
	facts := agg.LinkFacts{Name: name}
	if to := w.renamed[name]; w.links[to] != nil {
		facts.RenamedTo = to
	}
	return facts
}

// Read returns the facts of the named interfaces. It can be refused as "read".
func (w *World) Read(_ context.Context, names []string) ([]agg.LinkFacts, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.refuse("read"); err != nil {
		return nil, err
	}
	out := make([]agg.LinkFacts, len(names))
	for i, name := range names {
		out[i] = w.link(name)
	}
	return out, nil
}

// Watch wakes the receiver after changes of the named interfaces.
func (w *World) Watch(names []string) (wake <-chan struct{}, cancel func()) {
	s := &subscriber{names: slices.Clone(names), wake: make(chan struct{}, 1)}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.subs[s] = struct{}{}
	return s.wake, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.subs, s)
	}
}

// WatchAny wakes the receiver after every change of any interface.
func (w *World) WatchAny() (wake <-chan struct{}, cancel func()) {
	return w.Watch([]string{anyLink})
}

// anyLink is the name in a subscription that stands for all.
const anyLink = "*"

// Links returns the facts of every interface, in no promised order.
func (w *World) Links() []agg.LinkFacts {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []agg.LinkFacts
	for name := range w.links {
		out = append(out, w.link(name))
	}
	return out
}

// Subscribers returns how many subscriptions there are.
func (w *World) Subscribers() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.subs)
}

// Mute makes the world lose its events, as a full netlink socket does.
func (w *World) Mute(muted bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.muted = muted
}

// Overrun wakes every subscriber, as Links promises to do when events were lost.
func (w *World) Overrun() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for s := range w.subs {
		s.poke()
	}
}

// Refuse makes calls fail: f is asked with "read", "apply", "observe", "destroy" or
// "send" and returns the error, or nil. It runs under the world's lock.
func (w *World) Refuse(f func(op string) error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.refuse = f
}

func (w *World) changed(name string) {
	if w.muted {
		return
	}
	for s := range w.subs {
		if slices.Contains(s.names, name) || slices.Contains(s.names, anyLink) {
			s.poke()
		}
	}
}

func (s *subscriber) poke() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Send sends a frame of the daemon out of an interface.
func (w *World) Send(_ context.Context, ifindex int, frame []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.refuse("send"); err != nil {
		return err
	}
	for name, l := range w.links {
		if l.Index == ifindex {
			w.sent = append(w.sent, Sent{Port: name, Frame: slices.Clone(frame)})
			return nil
		}
	}
	return fmt.Errorf("send on interface %d: there is no such interface", ifindex)
}

// TakeSent returns the frames that were sent since it was called last.
func (w *World) TakeSent() []Sent {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := w.sent
	w.sent = nil
	return out
}
