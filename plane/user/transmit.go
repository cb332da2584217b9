package user

import (
	"slices"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/bootclock"
	"github.com/yokelag/yoke/policy"
)

// transmitter carries frames from the inner end of the aggregate's device to the ports.
type transmitter struct {
	inner *socket
	notes *tagNotes
	plan  *atomic.Pointer[table]
	drops *drops
	// carrier reports whether the named port has carrier.
	carrier func(port string) bool
	// queues collect a batch for each port of the plan; hot are those in use.
	queues [agg.MaxPorts]*batch
	hot    []int
	ways   []way
	// walked counts the frames that round-robin has placed.
	walked uint64
}

func (x *transmitter) sockets(to []*packetSocket) []*packetSocket { return x.inner.packets(to) }

// batch implements worker. One port's frames leave in the order they came in, and so do
// all frames where those of one flow take several ports.
func (x *transmitter) batch() bool {
	t := x.plan.Load()
	x.notes.read()
	n := 0
	for ; n < batchLen; n++ {
		s := x.inner.next()
		if s == nil {
			break
		}
		x.steer(t, s)
	}
	if n == 0 {
		return false
	}
	x.flushAll(t)
	x.inner.release()
	return true
}

func (x *transmitter) flushAll(t *table) {
	now := agg.Instant(bootclock.Now())
	for _, port := range x.hot {
		x.flush(t, port, now)
	}
	x.hot = x.hot[:0]
}

// steer puts one frame into the queue of its port.
func (x *transmitter) steer(t *table, s slot) {
	if !s.whole() {
		x.drops.cut.Add(1)
		return
	}
	if t == nil || t.plan.Blocked {
		x.drops.blocked.Add(1)
		return
	}
	packet, tag := x.packet(s)
	x.ways = t.ways(x.ways[:0], packet[vnetLen:], policy.Tag{Present: tag.present, TCI: tag.tci}, &x.walked)
	if len(x.ways) == 0 {
		x.drops.noPort.Add(1)
		return
	}
	if tag.present {
		packet = insertTag(s, tag.tpid, tag.tci)
	}
	for _, w := range x.ways {
		x.give(t, w, packet)
	}
}

// give puts a packet into the queue of its port, with the source address that the port
// wants. The packets of a frame that leaves in copies share their memory.
func (x *transmitter) give(t *table, w way, packet []byte) {
	if t.inOrder() && len(x.hot) > 0 && x.hot[0] != w.first {
		x.flushAll(t)
	}
	if mac := t.plan.Ports[w.first].SourceMAC; !mac.IsZero() {
		if len(x.ways) > 1 {
			packet = slices.Clone(packet)
		}
		copy(packet[vnetLen+6:vnetLen+12], mac[:])
	}
	x.queue(w.first).add(packet, mark{way: w, bytes: uint64(len(packet) - vnetLen)})
}

// besides is a tag that travels beside the frame.
type besides struct {
	present   bool
	tpid, tci uint16
}

// packet returns the frame as it left the aggregate's device: a tag that the hop took
// out of it is put back, one that came beside it is returned beside it.
func (x *transmitter) packet(s slot) ([]byte, besides) {
	tpid, tci, ok := s.tag()
	if !ok {
		return s.packet(), besides{}
	}
	x.notes.read() // the note is older than the frame, but may be younger than the batch
	if x.notes.take(s.frame(), tpid, tci) {
		return insertTag(s, tpid, tci), besides{}
	}
	return s.packet(), besides{true, tpid, tci}
}

func (x *transmitter) queue(port int) *batch {
	q := x.queues[port]
	if q == nil {
		q = &batch{}
		x.queues[port] = q
	}
	if q.n == 0 {
		x.hot = append(x.hot, port)
	}
	return q
}

// flush sends a port's queue. What a port without carrier refuses goes to each frame's
// second choice at once: the kernel tells by refusing, nobody has to notice first.
func (x *transmitter) flush(t *table, port int, now agg.Instant) {
	q, l := x.queues[port], t.links[port]
	for i := 0; i < q.n; {
		sent, err := q.send(l.socket, i)
		if sent > 0 && t.away[port] {
			t.back(q.marks[i].way)
		}
		for ; sent > 0; sent-- {
			t.count(q.marks[i], l, now)
			i++
		}
		switch {
		case err == 0:
		case err == unix.ENOBUFS && x.carrier(*l.name.Load()):
			x.drops.refused.Add(1)
			i++
		case err == unix.ENOBUFS || err == unix.ENETDOWN || err == unix.ENXIO || err == unix.ENODEV:
			x.moveRest(t, l, q, i, now)
			i = q.n
		default:
			x.drops.refused.Add(1)
			i++
		}
	}
	q.n = 0
}

// moveRest sends what is left of a queue by the second choices.
func (x *transmitter) moveRest(t *table, from *link, q *batch, i int, now agg.Instant) {
	for ; i < q.n; i++ {
		second := t.link(q.marks[i].second)
		if second == nil || second == from || !q.sendOne(second.socket, i) {
			x.drops.noCarrier.Add(1)
			continue
		}
		t.leave(q.marks[i].way)
		from.guardMoved.Add(1)
		t.count(q.marks[i], second, now)
	}
}
