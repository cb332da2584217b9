package lag

import (
	"fmt"
	"io"
	"math/rand/v2"
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/lacp"
	"github.com/yokelag/yoke/lacp/lacptest"
)

// system is one end with all it is judged by. The first of a world is the hub: every
// cable has one end there.
type system struct {
	node  *lacptest.Node
	lacp  *lacp.System
	conf  lacp.Config
	ports []witness // by number less one
}

// world is the systems and cables of one seed.
type world struct {
	net     *lacptest.Net
	random  *rand.Rand
	systems []*system
	cables  []*cable
	cover   Coverage
	story   io.Writer
	wrong   error
}

// newWorld makes two to four systems, and cables from the first to the others.
func newWorld(seed uint64, story io.Writer) (*world, error) {
	w := &world{net: lacptest.New(), random: rand.New(rand.NewPCG(seed, 0x6c61_6370)), story: story}
	w.net.Sent, w.net.Moved, w.net.Heard, w.net.Check = w.sent, w.moved, w.heard, w.check
	n := 1 + w.random.IntN(5)
	others := 1
	if w.random.IntN(2) == 0 {
		others += 1 + w.random.IntN(2)
	}
	for i := range 1 + others {
		if err := w.add(i, n); err != nil {
			return nil, err
		}
	}
	for i := range n {
		far := w.systems[1+w.random.IntN(others)]
		c := &cable{near: uint16(i + 1), far: far, farPort: uint16(i + 1)}
		w.connect(c)
		w.cables = append(w.cables, c)
	}
	return w, nil
}

func (w *world) add(i, ports int) error {
	s := &system{conf: w.config(i), ports: make([]witness, ports)}
	for p := range ports {
		s.conf.Ports = append(s.conf.Ports, lacp.Port{Number: uint16(p + 1), Priority: 255, MAC: agg.MAC{2, 1, 0, 0, byte(i), byte(p)}})
	}
	var err error
	if s.lacp, err = lacp.New(s.conf); err != nil {
		return fmt.Errorf("system %d: %w", i, err)
	}
	s.node = w.net.Add(string(rune('a'+i)), s.lacp)
	w.systems = append(w.systems, s)
	return nil
}

// config is any that can carry. Every end may limit its ports and let them wait, and the
// hub speaks first where the others do not.
func (w *world) config(i int) lacp.Config {
	r := w.random
	some := func(of int) bool { return r.IntN(of) == 0 }
	c := lacp.Config{
		System: agg.MAC{2, 0, 0, 0, byte(r.IntN(3)), byte(i + 1)}, SystemPriority: uint16(r.IntN(3)),
		Active: i == 0 || !some(3), Short: !some(3), Coupled: some(3), Strict: true,
	}
	if some(5) {
		c.Wait = lacp.WaitStrict
	}
	if some(3) {
		c.MaxLinks, c.NonRevertive = 1+r.IntN(3), some(2)
	}
	if some(4) {
		c.WaitToRestore = time.Duration(r.IntN(2000)) * time.Millisecond
	}
	if i > 0 {
		return c
	}
	policies := []lacp.Policy{lacp.Stable, lacp.Bandwidth, lacp.Count, lacp.ActorPortPrio, lacp.LACPPrio, lacp.LACPPrioStable, lacp.PortConfig}
	c.Policy = policies[r.IntN(len(policies))]
	if some(6) {
		c.Fallback, c.FallbackAfter = lacp.FallbackStatic, time.Duration(r.IntN(3000))*time.Millisecond
	}
	return c
}

func (w *world) of(node *lacptest.Node) *system {
	for _, s := range w.systems {
		if s.node == node {
			return s
		}
	}
	return nil
}

func (w *world) hub() *system { return w.systems[0] }

// end returns one end of a cable.
func (w *world) end(c *cable, near bool) (*lacptest.Node, uint16) {
	if near {
		return w.hub().node, c.near
	}
	return c.far.node, c.farPort
}

func (w *world) drain(s *system, on bool) {
	kind := lacp.Undrain
	if on {
		kind = lacp.Drain
	}
	s.node.Give(lacp.Input{Kind: kind, Port: uint16(1 + w.random.IntN(len(s.ports)))})
}

// stall takes the processor away for a while. Frames wait, timers run out.
func (w *world) stall(s *system) error {
	w.net.Stall(s.node, true)
	err := w.net.Run(time.Duration(w.random.IntN(5000)) * time.Millisecond)
	w.net.Stall(s.node, false)
	return err
}

// restart kills a system and starts it again, from what it saved or from nothing. No
// cable changes meanwhile: a system that goes on takes its links to be as they were.
func (w *world) restart(s *system, goesOn bool) error {
	saved := s.lacp.Save()
	s.node.Machine = dead{}
	if err := w.net.Run(time.Duration(w.random.IntN(4000)) * time.Millisecond); err != nil {
		return err
	}
	return w.start(s, saved, goesOn)
}

func (w *world) start(s *system, saved lacp.Saved, goesOn bool) error {
	links := map[uint16]lacp.Link{}
	for _, p := range saved.Ports {
		links[p.Number] = p.State.Link
	}
	w.retire(s)
	var err error
	if s.lacp, err = lacp.New(s.conf); err != nil {
		return err
	}
	if goesOn {
		s.lacp.Restore(saved, w.net.Now)
	}
	s.node.Machine = s.lacp
	for i := range s.ports {
		s.ports[i].restarted(s.lacp, uint16(i+1))
	}
	for i := range s.ports {
		number := uint16(i + 1)
		s.node.Give(lacp.Input{Kind: lacp.LinkChanged, Port: number, Link: links[number]})
	}
	return nil
}

// configure changes what may be changed at any time.
func (w *world) configure(s *system) {
	c := s.conf
	c.Ports = append([]lacp.Port(nil), c.Ports...)
	p := &c.Ports[w.random.IntN(len(c.Ports))]
	switch w.random.IntN(9) {
	case 0:
		c.Short = !c.Short
	case 1:
		c.Coupled = !c.Coupled
	case 2:
		p.Priority = uint16(w.random.IntN(4))
	case 3:
		c.UserKey = uint16(w.random.IntN(4))
	case 4:
		c.MaxLinks = w.random.IntN(4)
	case 5:
		c.SystemPriority = uint16(w.random.IntN(4))
	case 6:
		c.Active = !c.Active
	case 7:
		p.Disabled = !p.Disabled
	case 8:
		c.PartnerAdmin.Key = uint16(w.random.IntN(2))
	}
	w.use(s, c)
}

// use configures a system.
func (w *world) use(s *system, c lacp.Config) {
	s.conf = c
	s.node.Give(lacp.Input{Kind: lacp.Configure, Conf: &c})
}

// able makes a configuration one that can carry.
func (w *world) able(s *system) {
	c := s.conf
	c.Active = c.Active || s == w.hub()
	c.Ports = append([]lacp.Port(nil), c.Ports...)
	for i := range c.Ports {
		c.Ports[i].Disabled = false
	}
	w.use(s, c)
}

// refuse gives the last LACPDU of a port back. It takes nothing of the limit then.
func (w *world) refuse(s *system) {
	i := w.random.IntN(len(s.ports))
	s.ports[i].refused()
	s.node.Give(lacp.Input{Kind: lacp.SendFailed, Port: uint16(i + 1)})
}

// dead is a system whose process has ended.
type dead struct{}

func (dead) Step(lacp.Input) lacp.Output { return lacp.Output{} }
func (dead) Deadline() agg.Instant       { return agg.Never }
