package lacp

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/yokelag/yoke/internal/afpacket"
	"github.com/yokelag/yoke/test/rig"
	"github.com/yokelag/yoke/wire/slow"
)

// A flood of slow protocols on one port, longer than a fast partner is believed in: the
// other port is not disturbed, memory does not grow, and the flood is counted.
func TestFloodDisturbsNoOtherPort(t *testing.T) {
	planes(t, func(t *testing.T, plane string) {
		a, b := newPair(t, plane, 2, "lacp_rate=fast")
		settle(t, a, b)
		from := []int{lastSeq(a), lastSeq(b)}
		memory := resident(t, a)
		sent := flood(t, b, "eth1", 4*time.Second)
		for i, r := range []*rig.Rig{a, b} {
			for _, line := range events(r)[from[i]:] {
				if strings.Contains(line, "port=eth2 ") {
					t.Errorf("the other port: %s", line)
				}
			}
			if s := r.Status(); !s.Ports[1].Carrying || !s.Device.Carrier {
				t.Errorf("the other port does not carry: %s", s.Summary)
			}
		}
		c := a.Status().Ports[0].LACP.Counters
		read := c["rx_illegal"] + c["rx_marker"]
		t.Logf("%d frames: %d lost unread, %d read and dropped; resident memory %d kB, was %d", sent, c["rx_unread"], read, resident(t, a), memory)
		const own = 100 // the partner's LACPDUs are among those that were lost
		if c["rx_unread"] == 0 || read == 0 || c["rx_unread"]+read > uint64(sent)+own {
			t.Errorf("of %d frames: %v", sent, c)
		}
		if now := resident(t, a); now > memory+32<<10 {
			t.Errorf("memory grew from %d to %d kB", memory, now)
		}
		for _, r := range []*rig.Rig{a, b} {
			r.WaitCarrying(2)
		}
	})
}

// flood sends some 100,000 frames of slow protocols a second, half of them Markers that
// want an answer and half illegal, and returns how many they were.
func flood(t *testing.T, r *rig.Rig, port string, d time.Duration) (sent int) {
	t.Helper()
	var s *afpacket.Sender
	if err := r.Here.Run(func() (err error) { s, err = afpacket.NewSender(); return err }); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	marker := slow.Marker{Version: slow.Version1, Type: slow.MarkerInformation}
	frames := [2][]byte{marker.AppendFrame(nil, slow.Group(), slow.Addr{2, 0, 0, 0, 0xf, 1})}
	frames[1] = slices.Clone(frames[0])
	frames[1][14] = 0 // an illegal subtype
	index := r.Here.Index(port)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(d); time.Now().Before(end); <-tick.C {
		for i := range 1000 {
			if err := s.Send(t.Context(), index, frames[i%2]); err == nil {
				sent++
			}
		}
	}
	return sent
}

// resident is the daemon's memory in kB.
func resident(t *testing.T, r *rig.Rig) int {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", r.PID()))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if w := strings.Fields(line); len(w) > 1 && w[0] == "VmRSS:" {
			n, _ := strconv.Atoi(w[1]) // the kernel writes numbers
			return n
		}
	}
	t.Fatal("no VmRSS")
	return 0
}
