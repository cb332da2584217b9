package lag

import (
	"fmt"
	"time"

	"github.com/yokelag/yoke/lacp"
)

// within is how long a world may take to carry after its faults have stopped: where a
// system asked to hear a LACPDU every 30 s only, it may take so long to notice.
func (w *world) within() time.Duration {
	for _, s := range w.systems {
		if !s.conf.Short {
			return Slow
		}
	}
	return Fast
}

// Fast is how long a world may take to carry again whose systems are all of lacp_rate
// fast, and Slow is that of others.
const (
	Fast = 10 * time.Second
	Slow = 40 * time.Second
)

// calm ends all faults. Every link is up, nothing is lost, all ports are wanted.
func (w *world) calm() {
	for _, c := range w.cables {
		c.ways = [2]way{}
		c.wire.Deafen(w.hub().node, false)
		c.wire.Deafen(c.far.node, false)
		w.net.Up(c.wire, true)
	}
	for _, s := range w.systems {
		w.able(s)
		for i := range s.ports {
			s.node.Give(lacp.Input{Kind: lacp.Undrain, Port: uint16(i + 1)})
		}
	}
}

// settle waits until all is as it should be, and sees that it stays so.
func (w *world) settle() error {
	begin := w.net.Now
	for {
		err := w.settled()
		took := w.net.Now.Sub(begin)
		if err == nil {
			w.cover.settledIn(took)
			break
		}
		if took > w.within() {
			return fmt.Errorf("%v after the last fault: %w", took, err)
		}
		if err := w.net.Run(50 * time.Millisecond); err != nil {
			return err
		}
	}
	if err := w.net.Run(5 * time.Second); err != nil {
		return err
	}
	if err := w.settled(); err != nil {
		return fmt.Errorf("carried, and 5 s later: %w", err)
	}
	return nil
}

// settled reports what is not as it should be in a world without faults.
func (w *world) settled() error {
	hub := w.hub()
	carries, cables := map[*system]int{}, map[*system]int{}
	for _, c := range w.cables {
		near, _ := hub.lacp.Port(c.near)
		far, _ := c.far.lacp.Port(c.farPort)
		cables[c.far]++
		if near.Sends != far.Sends || near.Fallback || far.Fallback {
			return fmt.Errorf("cable %d: a sends %v, %s%d sends %v; %s; %s", c.near, near.Sends, c.far.node.Name, c.farPort, far.Sends,
				hub.lacp.Gate(c.near).Detail, c.far.lacp.Gate(c.farPort).Detail)
		}
		if near.Sends {
			carries[c.far]++
		}
	}
	if len(carries) != 1 {
		return fmt.Errorf("a carries to %d systems", len(carries))
	}
	for far, n := range carries {
		want := cables[far]
		for _, most := range []int{hub.conf.MaxLinks, far.conf.MaxLinks} {
			if most > 0 {
				want = min(want, most)
			}
		}
		if n != want {
			return fmt.Errorf("%d of %d cables to %s carry", n, want, far.node.Name)
		}
	}
	return nil
}
