package rtnl

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/ethtool"
)

// Link is what the kernel says about an interface.
type Link struct {
	Name string
	// Index is the ifindex, 0 where the interface is absent.
	Index            int
	Present, AdminUp bool
	// Carrier is false while the interface is administratively down, and while it cannot
	// send yet although its driver has the carrier back.
	Carrier bool
	// Speed is in Mb/s, 0 where unknown. While the carrier is gone it is the last one
	// known: drivers forget it then, and shares must not change for that.
	Speed      uint32
	FullDuplex bool
	MAC        [6]byte
	MTU        int
	// Master names the device that the interface is a port of in the kernel, if any.
	Master string
	// RenamedTo is the name that the interface has now, and Moved tells that it went to
	// another network namespace, where it was present under Name before. Both are known of
	// interfaces that somebody is subscribed to.
	RenamedTo string
	Moved     bool
}

// Facts is the interface in the words of the engine.
func (l Link) Facts() agg.LinkFacts {
	return agg.LinkFacts{Name: l.Name, Index: l.Index, Present: l.Present, AdminUp: l.AdminUp, Carrier: l.Carrier,
		Speed: l.Speed, FullDuplex: l.FullDuplex, MAC: l.MAC, MTU: l.MTU,
		Master: l.Master, RenamedTo: l.RenamedTo, Moved: l.Moved}
}

// ReadFacts is Read in the words of the engine.
func (l *Listener) ReadFacts(ctx context.Context, names []string) ([]agg.LinkFacts, error) {
	links, err := l.Read(ctx, names)
	if err != nil {
		return nil, err
	}
	out := make([]agg.LinkFacts, len(links))
	for i, link := range links {
		out[i] = link.Facts()
	}
	return out, nil
}

// Listener serves one network namespace. Its methods are safe for concurrent use.
type Listener struct {
	query  *querier
	driver *ethtool.Socket
	events *os.File

	mu        sync.Mutex
	closed    bool
	subs      map[*subscription]struct{}
	byName    map[string][]*subscription // the same, by the interfaces they name
	adapting  int                        // how many interfaces are polled by those that adapt
	anybody   map[chan struct{}]struct{} // woken when interfaces come and go
	known     map[int]linkState          // by ifindex, from events
	places    places
	speeds    map[int]ethtool.Settings
	dirty     map[string]struct{} // whose speed may have changed
	lastEvent time.Time

	// poke tells the poll that its plan changed, stale the speed reader that dirty did.
	poke, stale chan struct{}
	done        chan struct{}
	tasks       sync.WaitGroup
}

// subscription is one subscriber's part.
type subscription struct {
	names      map[string]struct{}
	poll       time.Duration
	adapt      bool
	useCarrier bool
	wake       chan struct{}

	// The poll's own: when it is due, and what it saw.
	due  time.Time
	seen map[string]seen
}

// adapts reports whether it is polled at a period of our choice.
func (s *subscription) adapts() bool { return s.poll != 0 && s.adapt }

// seen is what a poll compares.
type seen struct {
	index            int
	adminUp, carrier bool
}

// receiveBuffer is the size of the event socket's buffer in bytes: a burst of some
// thousand events.
const receiveBuffer = 8 << 20

// Open starts to listen in the calling thread's network namespace.
func Open() (*Listener, error) {
	events, err := subscribeGroups()
	if err != nil {
		return nil, fmt.Errorf("listen for link events: %w", err)
	}
	query, err := newQuerier()
	if err != nil {
		return nil, errors.Join(err, events.Close())
	}
	driver, err := ethtool.Open()
	if err != nil {
		return nil, errors.Join(err, query.close(), events.Close())
	}
	l := &Listener{
		query: query, driver: driver, events: events,
		subs: map[*subscription]struct{}{}, byName: map[string][]*subscription{}, known: map[int]linkState{},
		anybody: map[chan struct{}]struct{}{},
		places:  places{},
		speeds:  map[int]ethtool.Settings{}, dirty: map[string]struct{}{},
		poke: make(chan struct{}, 1), stale: make(chan struct{}, 1), done: make(chan struct{}),
	}
	l.tasks.Go(l.listen)
	l.tasks.Go(l.pollAll)
	l.tasks.Go(l.readSpeeds)
	return l, nil
}

// subscribeGroups opens the event socket, non-blocking, so that Close ends a read.
func subscribeGroups() (*os.File, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_ROUTE)
	if err != nil {
		return nil, err
	}
	if unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, receiveBuffer) != nil {
		// Without privilege over the first user namespace the system's limit rules; an
		// overrun is noticed and costs a full look.
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, receiveBuffer)
	}
	const groups = unix.RTMGRP_LINK | unix.RTMGRP_IPV4_IFADDR | unix.RTMGRP_IPV6_IFADDR
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: groups}); err != nil {
		_ = unix.Close(fd)
		return nil, err
	}
	return os.NewFile(uintptr(fd), "rtnetlink events"), nil
}

// Close stops listening. Subscribers are not woken any more.
func (l *Listener) Close() error {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return nil
	}
	l.closed = true
	l.mu.Unlock()
	close(l.done)
	err := l.events.Close()
	l.tasks.Wait()
	return errors.Join(err, l.query.close(), l.driver.Close())
}

// Read asks the kernel for the named interfaces now, and answers in the order of names.
// An absent interface has Present false. The speed of a subscribed interface comes from
// a copy that is renewed in the background, since drivers may take long to tell.
func (l *Listener) Read(ctx context.Context, names []string) ([]Link, error) {
	out := make([]Link, len(names))
	for i, name := range names {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		s, present, err := l.query.link(name)
		if err != nil {
			return nil, err
		}
		if present {
			out[i] = l.fill(s)
		} else {
			out[i] = l.absent(name)
		}
	}
	return out, nil
}

func (l *Listener) fill(s linkState) Link {
	out := Link{
		Name: s.name, Index: s.index, Present: true, AdminUp: s.adminUp(), MAC: s.mac, MTU: s.mtu,
	}
	l.mu.Lock()
	if len(l.byName[s.name]) > 0 {
		l.places.note(s.name, s.index)
	}
	byDriver := l.asksDriver(s.name)
	settings, cached := l.speeds[s.index]
	l.mu.Unlock()
	out.Carrier = l.carrier(s, byDriver)
	out.Master = l.masterOf(s)
	if !cached {
		settings = l.askSpeed(s.name)
	}
	out.Speed, out.FullDuplex = settings.Speed, settings.FullDuplex
	return out
}

// asksDriver reports whether a subscriber of the interface set use_carrier=off. The caller
// holds mu.
func (l *Listener) asksDriver(name string) bool {
	return slices.ContainsFunc(l.byName[name], func(s *subscription) bool { return !s.useCarrier })
}

// carrier is the kernel's carrier flag, or what the driver says: by ethtool, then by
// MII registers, and up where it answers neither.
func (l *Listener) carrier(s linkState, byDriver bool) bool {
	if !byDriver {
		return s.carrier()
	}
	if !s.adminUp() || s.rising() {
		return false
	}
	if up, err := l.driver.Link(s.name); err == nil {
		return up
	}
	if up, err := l.driver.MIILink(s.name); err == nil {
		return up
	}
	return true
}

// Subscribe wakes the receiver when any of the named interfaces may have changed: on a
// link or address event, when a poll sees another state, and when events were lost.
// Wake-ups coalesce. poll is the period of the poll behind the events, 0 for none;
// adapt allows a shorter one after link events and a longer one when many interfaces
// are polled. useCarrier false asks drivers instead of the carrier flag, in Read too.
// cancel ends the subscription.
func (l *Listener) Subscribe(names []string, poll time.Duration, adapt, useCarrier bool) (wake <-chan struct{}, cancel func()) {
	s := &subscription{
		names: map[string]struct{}{}, poll: poll, adapt: adapt, useCarrier: useCarrier,
		wake: make(chan struct{}, 1), seen: map[string]seen{},
	}
	for _, n := range names {
		s.names[n] = struct{}{}
	}
	l.mu.Lock()
	l.add(s)
	l.soil(names...)
	l.mu.Unlock()
	signal(l.poke)
	return s.wake, func() {
		l.mu.Lock()
		l.remove(s)
		l.mu.Unlock()
		signal(l.poke)
	}
}

// add begins a subscription. The caller holds mu.
func (l *Listener) add(s *subscription) {
	l.subs[s] = struct{}{}
	if s.adapts() {
		l.adapting += len(s.names)
	}
	for n := range s.names {
		l.byName[n] = append(l.byName[n], s)
	}
}

// remove ends a subscription. The caller holds mu.
func (l *Listener) remove(s *subscription) {
	if _, there := l.subs[s]; !there {
		return
	}
	delete(l.subs, s)
	if s.adapts() {
		l.adapting -= len(s.names)
	}
	for n := range s.names {
		l.byName[n] = slices.DeleteFunc(l.byName[n], func(o *subscription) bool { return o == s })
		if len(l.byName[n]) == 0 {
			delete(l.byName, n)
			delete(l.places, n)
		}
	}
}

// signal makes a channel of one token full.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// listen reads events until Close. ENOBUFS says that events were lost; any other error
// is of a broken socket, and the poll goes on alone.
func (l *Listener) listen() {
	b := make([]byte, 128<<10)
	for {
		n, err := l.events.Read(b)
		switch {
		case err == nil:
			l.take(b[:n])
		case errors.Is(err, unix.ENOBUFS):
			l.lost()
		default:
			return
		}
	}
}

// lost forgets what events said and wakes everybody.
func (l *Listener) lost() {
	l.mu.Lock()
	defer l.mu.Unlock()
	clear(l.known)
	l.noteEvent()
	for s := range l.subs {
		signal(s.wake)
	}
	l.wakeAnybody()
	l.soil(slices.Collect(maps.Keys(l.byName))...)
}

// noteEvent makes the poll fast for a while. The caller holds mu.
func (l *Listener) noteEvent() {
	l.lastEvent = time.Now()
	signal(l.poke)
}

// soil has the speed of the named interfaces read again. The caller holds mu.
func (l *Listener) soil(names ...string) {
	for _, n := range names {
		l.dirty[n] = struct{}{}
	}
	signal(l.stale)
}

// take looks at one datagram of events. What cannot be read counts as lost.
func (l *Listener) take(b []byte) {
	for len(b) > 0 {
		kind, _, body, rest, ok := nextMessage(b)
		if !ok {
			l.lost()
			return
		}
		switch kind {
		case unix.RTM_NEWLINK, unix.RTM_DELLINK:
			s, err := parseLink(body)
			if err != nil {
				l.lost()
				return
			}
			if body[0] == unix.AF_BRIDGE { // it came to a bridge or left one, and is still there
				l.wakeAll(s.name)
			} else {
				l.linkEvent(s, kind == unix.RTM_DELLINK)
			}
		case unix.RTM_NEWADDR, unix.RTM_DELADDR:
			l.addressEvent(body)
		}
		b = rest
	}
}

// linkEvent wakes those who know the interface by its name now or before.
func (l *Listener) linkEvent(s linkState, gone bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	before, had := l.known[s.index]
	l.places.event(s, gone)
	if gone {
		delete(l.known, s.index)
		delete(l.speeds, s.index)
	} else {
		l.known[s.index] = s
	}
	if gone || !had || s.bounced(before) {
		l.noteEvent()
		l.soil(s.name)
	}
	l.wake(s.name)
	if had && before.name != s.name {
		l.wake(before.name)
	}
	if gone || !had || before.name != s.name {
		l.wakeAnybody()
	}
}

// addressEvent wakes those of the interface, or everybody where its name cannot be known.
func (l *Listener) addressEvent(body []byte) {
	if len(body) < unix.SizeofIfAddrmsg {
		return
	}
	index := int(binary.NativeEndian.Uint32(body[4:]))
	l.mu.Lock()
	s, known := l.known[index]
	l.mu.Unlock()
	var err error
	if !known {
		// Nothing happened to the link since we listen; its name has to be asked for, since
		// to wake everybody for every address is too much where there are many.
		s, _, err = l.query.byIndex(index)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err == nil {
		l.wake(s.name) // nobody, where it is gone
		return
	}
	for s := range l.subs {
		signal(s.wake)
	}
}

// wakeAll is wake for who does not hold mu.
func (l *Listener) wakeAll(name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.wake(name)
}

// wake wakes the subscribers of one interface. The caller holds mu.
func (l *Listener) wake(name string) {
	for _, s := range l.byName[name] {
		signal(s.wake)
	}
}
