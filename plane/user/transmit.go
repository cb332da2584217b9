package user

import (
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
}

func (x *transmitter) sockets(to []*packetSocket) []*packetSocket { return x.inner.packets(to) }

// batch implements worker. Frames of one flow have one port, and one port's frames
// leave in the order they came in.
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
	now := agg.Instant(bootclock.Now())
	for _, port := range x.hot {
		x.flush(t, port, now)
	}
	x.hot = x.hot[:0]
	x.inner.release()
	return true
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
	frame := packet[vnetLen:]
	e := t.choose(frame, policy.Tag{Present: tag.present, TCI: tag.tci})
	if e == agg.NoPort || t.first(e) == nil {
		x.drops.noPort.Add(1)
		return
	}
	if tag.present {
		packet = insertTag(s, tag.tpid, tag.tci)
		frame = packet[vnetLen:]
	}
	port := t.plan.Table[e].First
	if mac := t.plan.Ports[port].SourceMAC; !mac.IsZero() {
		copy(frame[6:12], mac[:])
	}
	x.queue(port).add(packet, mark{entry: e, bytes: uint64(len(frame))})
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
			t.back(q.marks[i].entry)
		}
		for ; sent > 0; sent-- {
			t.count(q.marks[i], l, now)
			i++
		}
		switch {
		case err == 0:
		case err == unix.ENOBUFS && x.carrier(l.name):
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
		second := t.second(q.marks[i].entry)
		if second == nil || second == from || !q.sendOne(second.socket, i) {
			x.drops.noCarrier.Add(1)
			continue
		}
		t.leave(q.marks[i].entry)
		from.guardMoved.Add(1)
		t.count(q.marks[i], second, now)
	}
}
