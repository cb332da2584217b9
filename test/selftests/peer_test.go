package selftests

import (
	"context"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/yokelag/yoke/internal/nstest"
	"github.com/yokelag/yoke/test/rig"
	"github.com/yokelag/yoke/wire/slow"
)

// peer is what is at the far ends of the cables.
type peer struct {
	r     *rig.Rig
	heard map[string]*nstest.Capture // by port
	since map[string]int             // where a listener began
	stop  map[string]func()          // ends the partner of a port
}

func farOf(port string) string { return "far" + port[len("eth"):] }

func newPeer(r *rig.Rig, ports []string) *peer {
	p := &peer{r: r, heard: map[string]*nstest.Capture{}, since: map[string]int{}, stop: map[string]func(){}}
	for _, port := range ports {
		p.heard[port] = r.There.Capture(farOf(port))
	}
	return p
}

// listen forgets what was heard.
func (p *peer) listen() {
	for port, c := range p.heard {
		p.since[port] = len(c.Frames())
	}
}

// count is how many frames of a kind were heard by a port since listen.
func (p *peer) count(port string, of func([]byte) bool) (n int) {
	for _, f := range p.heard[port].Frames()[p.since[port]:] {
		if of(f.Bytes) {
			n++
		}
	}
	return n
}

// gratuitous reports whether a frame is an ARP by which an IPv4 host tells its own address.
func gratuitous(f []byte) bool {
	return len(f) >= 42 && f[12] == 8 && f[13] == 6 && [4]byte(f[28:32]) == [4]byte(f[38:42])
}

// lacpdu is that of a frame, ok only where it has one.
func lacpdu(f []byte) (slow.LACPDU, bool) {
	frame, err := slow.Parse(f, slow.Addr{})
	if err != nil || frame.Subtype != slow.SubtypeLACP {
		return slow.LACPDU{}, false
	}
	p, err := slow.ParseLACPDU(frame.Payload)
	return p, err == nil
}

func isLACPDU(f []byte) bool { _, ok := lacpdu(f); return ok }

// isActive: the frame is of an end that speaks without being spoken to.
func isActive(f []byte) bool {
	p, ok := lacpdu(f)
	return ok && p.Actor.State.Has(slow.Activity)
}

// partnerEvery is how often the partner speaks: more often than it has to, so that a
// machine under load keeps it alive.
const partnerEvery = 250 * time.Millisecond

// partner speaks LACP by a port as an end that is content with whatever it hears.
func (p *peer) partner(port string, on bool) {
	if stop, is := p.stop[port]; is {
		stop()
		delete(p.stop, port)
	}
	if !on {
		return
	}
	ctx, cancel := context.WithCancel(p.r.T.Context())
	var task sync.WaitGroup
	p.stop[port] = func() { cancel(); task.Wait() }
	voice := openVoice(p.r.T, p.r.There, farOf(port))
	mac := slow.Addr(p.r.There.MAC("br0"))
	own := slow.Addr(p.r.There.MAC(farOf(port)))
	task.Go(func() {
		defer func() { _ = unix.Close(voice.fd) }()
		pdu := slow.LACPDU{Version: slow.Version1, Actor: slow.Info{SystemPriority: 100, System: mac, Key: 7, PortPriority: 1, Port: uint16(port[3] - '0')}}
		pdu.Actor.State = slow.Activity | slow.Timeout | slow.Aggregation | slow.Synchronization | slow.Collecting | slow.Distributing
		for tick := time.NewTicker(partnerEvery); ; {
			for _, f := range p.heard[port].Frames() {
				if said, ok := lacpdu(f.Bytes); ok {
					pdu.Partner = said.Actor
				}
			}
			voice.say(pdu.AppendFrame(nil, slow.Group(), own))
			select {
			case <-ctx.Done():
				tick.Stop()
				return
			case <-tick.C:
			}
		}
	})
}

// voice sends frames of an interface.
type voice struct{ fd, index int }

func openVoice(t *testing.T, n *nstest.NS, name string) voice {
	t.Helper()
	v := voice{index: n.Index(name)}
	err := n.Run(func() (err error) {
		v.fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func (v voice) say(frame []byte) {
	_ = unix.Sendto(v.fd, frame, 0, &unix.SockaddrLinklayer{Ifindex: v.index}) // refused while there is no link
}
