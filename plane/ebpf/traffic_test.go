package ebpf

import (
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/yokelag/yoke/internal/nstest"
)

func TestTrafficBothWays(t *testing.T) {
	variants(t, func(t *testing.T, r *rig) {
		r.ready()
		out := r.stream(time.Millisecond)
		in := nstest.StartUDP(r, r.far, r.near, there, here, time.Millisecond)
		out.WaitReceived(200)
		in.WaitReceived(200)
		r.lossless(out.Stop(), in.Stop())
	})
}

func TestFailoverByPlanLosesNothing(t *testing.T) {
	variants(t, func(t *testing.T, r *rig) {
		r.ready()
		s := r.stream(time.Millisecond)
		for i := range 10 {
			s.WaitReceived(20)
			r.apply(r.plan(1 - i%2))
		}
		s.WaitReceived(20)
		r.lossless(s.Stop())
	})
}

// lossless fails the test where streams lost more than the kernel's backlog queues dropped
// meanwhile, on the whole machine: a sender that was held up sends what it is behind with
// at once, and those queues hold 1,000 frames.
func (r *rig) lossless(results ...nstest.Result) {
	r.Helper()
	now, err := backlogDrops()
	if err != nil {
		r.Fatal(err)
	}
	var lost uint64
	for _, result := range results {
		lost += result.Lost
	}
	dropped, full := now-r.backlog, socketsFull(r.near)+socketsFull(r.far)
	if lost > dropped+full {
		r.Errorf("lost %d; the backlog queues dropped %d and full sockets %d: %+v", lost, dropped, full, results)
	}
}

// socketsFull is how many datagrams sockets of the namespace had no room for.
func socketsFull(ns *nstest.NS) (n uint64) {
	const rcvbufErrors = 5 // the column of Udp: in snmp
	ns.Do(func() {
		text, _ := os.ReadFile("/proc/thread-self/net/snmp") // none are counted then
		for line := range strings.Lines(string(text)) {
			if fields := strings.Fields(line); len(fields) > rcvbufErrors && fields[0] == "Udp:" {
				n, _ = strconv.ParseUint(fields[rcvbufErrors], 10, 64) // 0 of the line of names
			}
		}
	})
	return n
}
