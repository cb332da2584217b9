package planetest

import (
	"context"
	"testing"

	"github.com/yokelag/yoke/agg"
)

// Plane is what the engine asks of a plane; see engine.Plane.
type Plane interface {
	Capability() agg.Capability
	Apply(ctx context.Context, p agg.Plan) error
	Observe(ctx context.Context) (agg.Facts, error)
	Close() error
	Destroy(ctx context.Context) error
}

// Harness is one world with one aggregate that has a plane. A method that cannot do
// its work fails the test.
type Harness interface {
	// Open returns the plane of the aggregate: a new one, or one that adopts what an
	// earlier plane left behind.
	Open(t *testing.T) Plane
	// Link returns the facts of a port, read now.
	Link(t *testing.T, port string) agg.LinkFacts
	// SetCarrier pulls the cable of a port or puts it back, and returns when the port
	// shows it.
	SetCarrier(t *testing.T, port string, up bool)
	// Delete removes a port's interface; Create makes it again, up, with carrier and a
	// new ifindex.
	Delete(t *testing.T, port string)
	Create(t *testing.T, port string)
	// Send sends frames on the aggregate, one after the other, and returns for each the
	// ports at whose far ends it arrived, sorted; none for one that did not arrive.
	Send(t *testing.T, frames [][]byte) [][]string
	// Receive sends frames from the far end of a port and returns how many the aggregate
	// received.
	Receive(t *testing.T, port string, frames [][]byte) int
	// Snapshot describes, as text, the ports as they are and everything else that Destroy
	// must restore.
	Snapshot(t *testing.T) string
}

// New makes a harness of its own for one case, with the named ports, all with carrier,
// and cleans up after the test.
type New func(t *testing.T, ports []string) Harness
