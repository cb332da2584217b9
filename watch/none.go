package watch

import "github.com/yokelag/yoke/agg"

// None is the watch of watch=none: always up, whatever happens to the port.
type None struct{ state State }

// NewNone returns a None.
func NewNone() *None { return &None{} }

// Step implements Watch.
func (n *None) Step(in Input) Output {
	if !n.state.Known || n.state.Phase != Up {
		n.state = State{Known: true, Phase: Up, Since: in.Now}
	}
	return Output{Verdict: Verdict{
		Phase: Up, Since: n.state.Since, Reason: ReasonNotWatched, Detail: "not watched; failures will not be seen",
	}}
}

// Deadline implements Watch.
func (n *None) Deadline() agg.Instant { return agg.Never }

// Wants implements Watch.
func (n *None) Wants() agg.FrameClass { return 0 }

// State implements Watch.
func (n *None) State() State { return n.state }

// Restore implements Watch.
func (n *None) Restore(s State) { n.state = s }
