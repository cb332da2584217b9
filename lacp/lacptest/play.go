package lacptest

import (
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/lacp"
	"github.com/yokelag/yoke/wire/slow"
)

// Subject is an implementation that scenarios can judge.
type Subject interface {
	Machine
	Port(number uint16) (lacp.PortView, bool)
	Gate(number uint16) lacp.Gate
	Carrier() bool
	Save() lacp.Saved
	Restore(from lacp.Saved, now agg.Instant) int
}

// Maker makes a Subject.
type Maker func(cfg lacp.Config) (Subject, error)

// Play plays a scenario. It returns the scenario with what happened, up to the first
// line that failed.
func Play(scenario string, make Maker) (string, error) {
	p := &player{net: New(), make: make, confs: map[string]*lacp.Config{}, first: map[string]*lacp.Config{}, faults: map[*end]*fault{}, sent: map[string]int{}, saved: map[string]lacp.Saved{}}
	p.net.Sent, p.net.Moved = p.sends, p.moves
	p.net.Check = func(n *Node) error {
		if s, ok := n.Machine.(*lacp.System); ok {
			return Invariants(s)
		}
		return nil
	}
	for line := range strings.Lines(scenario) {
		if strings.HasPrefix(line, "  ") {
			continue
		}
		p.out.WriteString(line)
		words := strings.Fields(line)
		if len(words) == 0 || strings.HasPrefix(line, "#") {
			continue
		}
		if err := p.do(words); err != nil {
			return p.out.String(), fmt.Errorf("%s: %w", strings.TrimSpace(line), err)
		}
	}
	return p.out.String(), nil
}

type player struct {
	net    *Net
	make   Maker
	out    strings.Builder
	confs  map[string]*lacp.Config
	first  map[string]*lacp.Config
	saved  map[string]lacp.Saved
	faults map[*end]*fault
	// quiet leaves frames and moves out; sent sums them up.
	quiet bool
	sent  map[string]int
	chance
}

// fault is what happens to the next frames of one end.
type fault struct {
	share  int // lost, in percent
	lose   int // the next to be lost
	double int
	swap   int
}

// chance is a generator of random numbers with a fixed beginning (xorshift).
type chance uint64

func (c *chance) percent() int {
	x := uint64(*c) | 1<<40
	x ^= x << 13
	x ^= x >> 7
	x ^= x << 17
	*c = chance(x)
	return int(x>>8) % 100
}

func (p *player) do(words []string) error {
	switch words[0] {
	case "system":
		return p.system(words[1], words[2:])
	case "set":
		return p.set(words[1], words[2:])
	case "run", "skip":
		return p.run(words)
	case "up", "down":
		return p.each(words[1:], func(e *end) { p.net.Up(e.wire, words[0] == "up") })
	case "stop":
		return p.stop(words[1])
	case "start":
		return p.start(words[1])
	case "stall", "wake":
		n, err := p.node(words[1])
		if err == nil {
			p.net.Stall(n, words[0] == "stall")
		}
		return err
	case "replay":
		return p.replay(words[1])
	case "farm":
		return p.farm(words[1], words[2])
	case "expect":
		return p.expect(words[1], words[2:])
	case "wire":
		return p.wire(words[1:])
	}
	node, number, err := p.port(words[1])
	if err != nil {
		return err
	}
	return p.doPort(node, number, words)
}

func (p *player) doPort(node *Node, number uint16, words []string) error {
	args := words[2:]
	switch words[0] {
	case "port":
		return p.setPort(node, number, args)
	case "link":
		return p.link(node, number, args)
	case "lose", "heal", "twice", "swap":
		return p.fault(node.ends[number], words[0], args)
	case "say":
		return p.say(node, number, args)
	case "marker":
		return p.marker(node, number, args)
	case "raw":
		b, err := hex.DecodeString(args[0])
		node.Give(lacp.Input{Kind: lacp.Received, Port: number, Frame: b})
		return err
	case "drain":
		node.Give(lacp.Input{Kind: lacp.Drain, Port: number})
	case "undrain":
		node.Give(lacp.Input{Kind: lacp.Undrain, Port: number})
	case "fail":
		node.Give(lacp.Input{Kind: lacp.SendFailed, Port: number})
	case "show":
		p.show(node, number)
	default:
		return fmt.Errorf("there is no command %s", words[0])
	}
	return nil
}

func (p *player) node(name string) (*Node, error) {
	for _, n := range p.net.Nodes {
		if n.Name == name {
			return n, nil
		}
	}
	return nil, fmt.Errorf("there is no system %s", name)
}

// port reads "a1".
func (p *player) port(word string) (*Node, uint16, error) {
	name := strings.TrimRight(word, "0123456789")
	number, err := strconv.ParseUint(word[len(name):], 10, 16)
	if err != nil {
		return nil, 0, fmt.Errorf("%s is no port", word)
	}
	n, err := p.node(name)
	return n, uint16(number), err
}

func (p *player) each(words []string, f func(*end)) error {
	for _, w := range words {
		node, number, err := p.port(w)
		if err != nil {
			return err
		}
		e := node.ends[number]
		if e == nil {
			return fmt.Errorf("%s has no cable", w)
		}
		f(e)
	}
	return nil
}

func (p *player) system(name string, words []string) error {
	ports := 1
	cfg := lacp.Config{System: agg.MAC{2, 0, 0, 0, 0, byte(len(p.net.Nodes) + 1)}, SystemPriority: 65535, Active: true, Short: true, Strict: true}
	for _, w := range words {
		if v, ok := strings.CutPrefix(w, "ports="); ok {
			ports, _ = strconv.Atoi(v)
		}
	}
	for i := range ports {
		cfg.Ports = append(cfg.Ports, lacp.Port{
			Number: uint16(i + 1), Name: fmt.Sprintf("%s%d", name, i+1), Priority: 255,
			MAC: agg.MAC{2, byte(len(p.net.Nodes) + 1), 0, 0, 0, byte(i + 1)},
		})
	}
	if err := configure(&cfg, words); err != nil {
		return err
	}
	m, err := p.make(cfg)
	if err != nil {
		return err
	}
	first := cfg
	p.confs[name], p.first[name] = &cfg, &first
	n := p.net.Add(name, m)
	n.Record = true
	return p.habits(n, cfg, words)
}

// habits gives a node the ways of another implementation.
func (p *player) habits(n *Node, cfg lacp.Config, words []string) (err error) {
	for _, w := range words {
		if v, ok := strings.CutPrefix(w, "slot="); ok {
			if n.Slot, err = time.ParseDuration(v); err != nil {
				return err
			}
		}
		if v, ok := strings.CutPrefix(w, "style="); ok {
			n.Machine = NewPeer(Style(v), cfg)
		}
	}
	return nil
}

// replay steps new systems by what a system was given.
func (p *player) replay(name string) error {
	node, err := p.node(name)
	if err != nil {
		return err
	}
	for range 100 {
		m, err := p.make(*p.first[name])
		if err != nil {
			return err
		}
		if !node.Replay(m) {
			return fmt.Errorf("the same %d inputs give another output", len(node.Inputs))
		}
	}
	fmt.Fprintf(&p.out, "  %d inputs, 100 times the same outputs\n", len(node.Inputs))
	return nil
}

// farm makes pairs of systems, all wired and all up at once.
func (p *player) farm(pairs, ports string) error {
	n, err := strconv.Atoi(pairs)
	if err != nil {
		return err
	}
	p.quiet = true
	for i := range n {
		name := string([]byte{'a' + byte(i/26), 'a' + byte(i%26)})
		for _, end := range []string{"l", "r"} {
			if err := p.system(name+end, []string{ports}); err != nil {
				return err
			}
			last := p.net.Nodes[len(p.net.Nodes)-1]
			last.Record = false
			cfg := p.confs[name+end]
			cfg.System[3], cfg.System[4] = byte(i), end[0]
			last.Machine, err = p.make(*cfg)
			if err != nil {
				return err
			}
		}
		for _, c := range p.confs[name+"l"].Ports {
			number := strconv.Itoa(int(c.Number))
			if err := p.wire([]string{name + "l" + number, name + "r" + number}); err != nil {
				return err
			}
			if err := p.each([]string{name + "l" + number}, func(e *end) { p.net.Up(e.wire, true) }); err != nil {
				return err
			}
		}
	}
	p.quiet = false
	return nil
}

func (p *player) set(name string, words []string) error {
	node, err := p.node(name)
	if err != nil {
		return err
	}
	cfg := *p.confs[name]
	cfg.Ports = slices.Clone(cfg.Ports)
	if err := configure(&cfg, words); err != nil {
		return err
	}
	p.confs[name] = &cfg
	node.Give(lacp.Input{Kind: lacp.Configure, Conf: &cfg})
	return nil
}

func (p *player) wire(words []string) error {
	a, i, err := p.port(words[0])
	if err != nil {
		return err
	}
	b, j, err := p.port(words[1])
	if err != nil {
		return err
	}
	w := p.net.Connect(a, i, b, j)
	if len(words) > 2 {
		w.Delay, err = time.ParseDuration(strings.TrimPrefix(words[2], "delay="))
	}
	w.Fault = func(from *Node, frame []byte) []time.Duration { return p.fate(w, from, frame) }
	return err
}

// fate decides what becomes of a frame. A wire from a system to itself has the faults
// of its first end.
func (p *player) fate(w *Wire, from *Node, _ []byte) []time.Duration {
	e := w.a
	if from == w.b.node {
		e = w.b
	}
	f := p.faults[e]
	switch {
	case f == nil:
	case f.lose > 0:
		f.lose--
		return nil
	case p.percent() < f.share:
		return nil
	case f.double > 0:
		f.double--
		return []time.Duration{w.Delay, w.Delay + time.Microsecond}
	case f.swap > 0:
		f.swap--
		return []time.Duration{w.Delay + 20*time.Millisecond}
	}
	return []time.Duration{w.Delay}
}

func (p *player) fault(e *end, word string, args []string) error {
	if e == nil {
		return fmt.Errorf("the port has no cable")
	}
	f := &fault{}
	p.faults[e] = f
	n, err := 1, error(nil)
	if len(args) > 0 {
		n, err = strconv.Atoi(strings.TrimSuffix(args[0], "%"))
	}
	switch {
	case word == "lose" && len(args) > 0 && strings.HasSuffix(args[0], "%"):
		f.share = n
	case word == "lose":
		f.lose = n
	case word == "twice":
		f.double = n
	case word == "swap":
		f.swap = n
	}
	return err
}

func (p *player) run(words []string) error {
	d, err := time.ParseDuration(words[1])
	if err != nil {
		return err
	}
	p.quiet = words[0] == "skip"
	clear(p.sent)
	err = p.net.Run(d)
	if p.quiet && len(p.sent) > 64 {
		total := map[string]int{}
		for name, n := range p.sent {
			_, what, _ := strings.Cut(name, " ")
			total[what] += n
		}
		p.sent = total
	}
	if p.quiet {
		for _, name := range slices.Sorted(maps.Keys(p.sent)) {
			fmt.Fprintf(&p.out, "  %s: %d\n", name, p.sent[name])
		}
	}
	p.quiet = false
	return err
}

func (p *player) stop(name string) error {
	node, err := p.node(name)
	if err != nil {
		return err
	}
	p.saved[name] = node.Machine.(Subject).Save()
	node.Machine = stopped{}
	return nil
}

func (p *player) start(name string) error {
	node, err := p.node(name)
	if err != nil {
		return err
	}
	m, err := p.make(*p.confs[name])
	if err != nil {
		return err
	}
	fmt.Fprintf(&p.out, "  %d ports go on\n", m.Restore(p.saved[name], p.net.Now))
	node.Machine = m
	for _, number := range slices.Sorted(maps.Keys(node.ends)) {
		p.net.Link(node, number, node.ends[number].wire.up)
	}
	return nil
}

// stopped is a system whose process has ended.
type stopped struct{}

func (stopped) Step(lacp.Input) lacp.Output { return lacp.Output{} }
func (stopped) Deadline() agg.Instant       { return agg.Never }

// stamp is the time since the beginning, in milliseconds.
func (p *player) stamp() string {
	return strconv.FormatFloat(float64(p.net.Now.Sub(Beginning))/float64(time.Millisecond), 'f', -1, 64)
}

func (p *player) moves(n *Node, m lacp.Move) {
	name := fmt.Sprintf("%s%d", n.Name, m.Port)
	if p.quiet {
		p.sent[name+" moves"]++
		return
	}
	fmt.Fprintf(&p.out, "  %8s %s %v\n", p.stamp(), name, m)
}

func (p *player) sends(n *Node, s lacp.Send) {
	name := fmt.Sprintf("%s%d", n.Name, s.Port)
	f, err := slow.Parse(s.Frame, slow.Addr(p.confs[n.Name].Destination))
	text := "?"
	if pdu, e := slow.ParseLACPDU(f.Payload); err == nil && f.Subtype == slow.SubtypeLACP && e == nil {
		text = "LACPDU " + pdu.Actor.State.Letters() + " partner " + pdu.Partner.State.Letters()
		p.sent[name+" LACPDUs"]++
	} else if m, e := slow.ParseMarker(f.Payload); err == nil && f.Subtype == slow.SubtypeMarker && e == nil {
		text = fmt.Sprintf("Marker type %d from %d/%v id %d", m.Type, m.Port, agg.MAC(m.System), m.Transaction)
		p.sent[fmt.Sprintf("%s Markers type %d", name, m.Type)]++
	}
	if !p.quiet {
		fmt.Fprintf(&p.out, "  %8s %s sends %s\n", p.stamp(), name, text)
	}
}

func (p *player) show(n *Node, number uint16) {
	s := n.Machine.(Subject)
	v, g := view(s, number), s.Gate(number)
	fmt.Fprintf(&p.out, "  %s %s %s aggregator %d, actor %s partner %s, churn %s/%s\n",
		v.Receive, v.Mux, v.Selected, v.Aggregator, v.Actor.State.Letters(), v.Partner.State.Letters(), v.ActorChurn, v.PartnerChurn)
	fmt.Fprintf(&p.out, "  %s: %s\n", g.Reason, g.Detail)
}

func view(s Subject, number uint16) lacp.PortView {
	v, _ := s.Port(number)
	return v
}
