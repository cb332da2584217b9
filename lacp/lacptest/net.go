package lacptest

import (
	"container/heap"
	"fmt"
	"hash/fnv"
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/lacp"
)

// Machine is an implementation of LACP: [lacp.System], or another one in its place.
type Machine interface {
	Step(in lacp.Input) lacp.Output
	Deadline() agg.Instant
}

// Beginning is the time at which a Net begins.
const Beginning = agg.Instant(time.Hour)

// Net is nodes and wires on one virtual clock.
type Net struct {
	Nodes []*Node
	// Now is the time.
	Now agg.Instant
	// Sent is called for every frame that a node sends, and Moved for every transition,
	// where they are not nil.
	Sent  func(n *Node, s lacp.Send)
	Moved func(n *Node, m lacp.Move)
	// Heard is called before a node reads a frame, where it is not nil.
	Heard func(n *Node, port uint16, frame []byte)
	// Check is called after every step of a node. Its error ends Run.
	Check func(n *Node) error
	queue queue
	seq   uint64
}

// New returns an empty Net.
func New() *Net { return &Net{Now: Beginning} }

// Node is one system in a Net.
type Node struct {
	Name    string
	Machine Machine
	net     *Net
	ends    map[uint16]*end
	// Slot is for senders that look for work at fixed times only: what is sent waits for
	// the next one.
	Slot time.Duration
	// Inputs are all that it was given, and Digest stands for all that came of it, if
	// Record is set.
	Record bool
	Inputs []lacp.Input
	Digest uint64
	// stalled: the process has no time. What comes waits, deadlines pass.
	stalled bool
	backlog []flight
}

// Stall takes the processor from a node, or gives it back: then it reads what has come,
// and only then looks at the clock.
func (n *Net) Stall(node *Node, on bool) {
	node.stalled = on
	if on {
		return
	}
	for _, f := range node.backlog {
		node.Give(lacp.Input{Kind: lacp.Received, Port: f.to.port, Frame: f.frame})
	}
	node.backlog = nil
	node.Give(lacp.Input{Kind: lacp.Tick})
}

// digest mixes an output into a sum.
func digest(sum uint64, out lacp.Output) uint64 {
	h := fnv.New64a()
	fmt.Fprint(h, sum, out.Replan, out.ReadLinks, out.Moves)
	for _, s := range out.Send {
		fmt.Fprint(h, s.Port, s.Behind, s.Frame)
	}
	return h.Sum64()
}

// Replay steps a machine by what the node was given, and reports whether the same came
// of it.
func (node *Node) Replay(m Machine) bool {
	sum := uint64(0)
	for _, in := range node.Inputs {
		sum = digest(sum, m.Step(in))
	}
	return sum == node.Digest
}

// end is one end of a wire.
type end struct {
	node *Node
	port uint16
	peer *end
	wire *Wire
	// deaf loses what comes towards this end.
	deaf bool
}

// Wire is a cable between two ports.
type Wire struct {
	a, b *end
	// Delay is one way. Fault, where set, is asked for every frame and returns the
	// delays of the copies that arrive, none for a loss; from is the sending node.
	Delay time.Duration
	Fault func(from *Node, frame []byte) []time.Duration
	up    bool
}

// Add makes a node of a machine.
func (n *Net) Add(name string, m Machine) *Node {
	node := &Node{Name: name, Machine: m, net: n, ends: map[uint16]*end{}}
	n.Nodes = append(n.Nodes, node)
	return node
}

// AddSystem makes a node of a new lacp.System with ports 1 to ports.
func (n *Net) AddSystem(name string, cfg lacp.Config, ports int) (*Node, *lacp.System, error) {
	for i := range ports {
		number := uint16(i + 1)
		cfg.Ports = append(cfg.Ports, lacp.Port{
			Number: number, Name: fmt.Sprintf("%s%d", name, number), Priority: 255,
			MAC: agg.MAC{cfg.System[0], 1, cfg.System[2], cfg.System[3], cfg.System[4], byte(number)},
		})
	}
	s, err := lacp.New(cfg)
	if err != nil {
		return nil, nil, err
	}
	return n.Add(name, s), s, nil
}

// Connect lays a cable of 0.5 ms. It is down until Up.
func (n *Net) Connect(a *Node, aPort uint16, b *Node, bPort uint16) *Wire {
	w := &Wire{Delay: 500 * time.Microsecond}
	w.a = &end{node: a, port: aPort, wire: w}
	w.b = &end{node: b, port: bPort, wire: w}
	w.a.peer, w.b.peer = w.b, w.a
	a.ends[aPort], b.ends[bPort] = w.a, w.b
	return w
}

// Unplug takes a cable away, so that its ports can be connected elsewhere. Their links go
// down, and what is on its way is lost.
func (n *Net) Unplug(w *Wire) {
	n.Up(w, false)
	delete(w.a.node.ends, w.a.port)
	delete(w.b.node.ends, w.b.port)
}

// Peer returns the node and the port at the other end of a port's cable, nil where there
// is none.
func (node *Node) Peer(port uint16) (*Node, uint16) {
	e := node.ends[port]
	if e == nil {
		return nil, 0
	}
	return e.peer.node, e.peer.port
}

// Up sets the link of both ends to full duplex at 10 Gb/s, or takes it away.
func (n *Net) Up(w *Wire, up bool) {
	w.up = up
	n.Link(w.a.node, w.a.port, up)
	n.Link(w.b.node, w.b.port, up)
}

// Link sets the link of one port only.
func (n *Net) Link(node *Node, port uint16, up bool) {
	if e := node.ends[port]; e != nil && up {
		e.wire.up = true
	}
	node.Give(lacp.Input{Kind: lacp.LinkChanged, Port: port, Link: lacp.Link{Up: up, Speed: 10000, FullDuplex: true}})
}

// Deafen makes one end of a wire lose what comes, or hear again.
func (w *Wire) Deafen(node *Node, deaf bool) {
	for _, e := range []*end{w.a, w.b} {
		if e.node == node {
			e.deaf = deaf
		}
	}
}

// Give steps a node with an input at the time of the Net, sends what comes of it and
// checks.
func (node *Node) Give(in lacp.Input) lacp.Output {
	n := node.net
	in.At = n.Now
	if node.Record {
		node.Inputs = append(node.Inputs, in)
	}
	if in.Kind == lacp.Received && n.Heard != nil {
		n.Heard(node, in.Port, in.Frame)
	}
	out := node.Machine.Step(in)
	if node.Record {
		node.Digest = digest(node.Digest, out)
	}
	for _, m := range out.Moves {
		if n.Moved != nil {
			n.Moved(node, m)
		}
	}
	for _, s := range out.Send {
		if n.Sent != nil {
			n.Sent(node, s)
		}
		node.send(s)
	}
	return out
}

func (node *Node) send(s lacp.Send) {
	e := node.ends[s.Port]
	if e == nil || !e.wire.up {
		return
	}
	delays := []time.Duration{e.wire.Delay}
	if e.wire.Fault != nil {
		delays = e.wire.Fault(node, s.Frame)
	}
	for _, d := range delays {
		n := node.net
		n.seq++
		heap.Push(&n.queue, flight{at: n.Now.Add(d + n.slotted(node.Slot)), seq: n.seq, to: e.peer, frame: append([]byte(nil), s.Frame...)})
	}
}

// Run lets d of virtual time pass. Frames that arrive at an instant come before the
// deadlines of that instant.
func (n *Net) Run(d time.Duration) error {
	end := n.Now.Add(d)
	for {
		at, node := n.next()
		if at == agg.Never || at > end {
			n.Now = end
			return nil
		}
		n.Now = max(n.Now, at)
		if node != nil {
			node.Give(lacp.Input{Kind: lacp.Tick})
		} else {
			node = n.deliver()
		}
		if n.Check == nil {
			continue
		}
		if err := n.Check(node); err != nil {
			return fmt.Errorf("%v after the beginning, %s: %w", n.Now.Sub(Beginning), node.Name, err)
		}
	}
}

// next returns the time of what comes next, and the node where it is a deadline.
func (n *Net) next() (at agg.Instant, node *Node) {
	if len(n.queue) > 0 {
		at = n.queue[0].at
	}
	for _, c := range n.Nodes {
		if c.stalled {
			continue
		}
		if d := c.Machine.Deadline(); d != agg.Never && (at == agg.Never || d < at) {
			at, node = d, c
		}
	}
	return at, node
}

func (n *Net) deliver() *Node {
	f := heap.Pop(&n.queue).(flight)
	switch {
	case !f.to.wire.up || f.to.deaf:
	case f.to.node.stalled:
		f.to.node.backlog = append(f.to.node.backlog, f)
	default:
		f.to.node.Give(lacp.Input{Kind: lacp.Received, Port: f.to.port, Frame: f.frame})
	}
	return f.to.node
}

// flight is a frame on its way.
type flight struct {
	at    agg.Instant
	seq   uint64
	to    *end
	frame []byte
}

type queue []flight

func (q queue) Len() int { return len(q) }
func (q queue) Less(i, j int) bool {
	return q[i].at < q[j].at || q[i].at == q[j].at && q[i].seq < q[j].seq
}
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(x any)   { *q = append(*q, x.(flight)) }
func (q *queue) Pop() any {
	old := *q
	x := old[len(old)-1]
	*q = old[:len(old)-1]
	return x
}
