package user

import (
	"sync/atomic"

	"github.com/yokelag/yoke/policy"
)

// receiver carries frames from the ports to the inner end of the aggregate's device.
type receiver struct {
	inner *socket
	plan  *atomic.Pointer[table]
	drops *drops
	out   batch
}

func (r *receiver) sockets(to []*packetSocket) []*packetSocket {
	t := r.plan.Load()
	if t == nil {
		return to
	}
	for _, l := range t.links {
		if l != nil {
			to = l.packets(to)
		}
	}
	return to
}

// batch implements worker: each port in its turn.
func (r *receiver) batch() (any bool) {
	t := r.plan.Load()
	if t == nil {
		return false
	}
	for i, l := range t.links {
		if l != nil && r.drain(t, i, l) {
			any = true
		}
	}
	return any
}

func (r *receiver) drain(t *table, port int, l *link) bool {
	n := 0
	for ; n < batchLen; n++ {
		s := l.next()
		if s == nil {
			break
		}
		r.take(t, port, l, s)
	}
	if n == 0 {
		return false
	}
	r.flush(l)
	l.release()
	return true
}

func (r *receiver) take(t *table, port int, l *link, s slot) {
	switch {
	case s.outgoing():
	case t.plan.Blocked:
		r.drops.blocked.Add(1)
	case !t.receives(port):
		l.rxDropped.Add(1)
	case !s.whole():
		r.drops.cut.Add(1)
	case t.plan.Punt != 0 && policy.ClassesOf(s.frame())&t.plan.Punt != 0:
		// The daemon's own socket on the port has it.
	default:
		packet := s.packet()
		if tpid, tci, ok := s.tag(); ok {
			packet = insertTag(s, tpid, tci)
		}
		r.out.add(packet, mark{bytes: uint64(len(packet) - vnetLen)})
	}
}

func (r *receiver) flush(l *link) {
	b := &r.out
	for i := 0; i < b.n; {
		sent, err := b.send(r.inner, i)
		for ; sent > 0; sent-- {
			l.rxFrames.Add(1)
			l.rxBytes.Add(b.marks[i].bytes)
			i++
		}
		if err != 0 {
			r.drops.rxRefused.Add(1)
			i++
		}
	}
	b.n = 0
}
