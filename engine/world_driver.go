package engine

import (
	"context"

	"github.com/yokelag/yoke/agg"
)

// Driver is a Plane whose modes a driver of the kernel runs by itself, as its capability
// says (RunsModes). The engine tells it what is wanted in the words of the spec, and takes
// from it which ports work, which one is active, and what LACP has agreed on.
type Driver interface {
	Plane
	// Configure notes what is wanted; Apply puts it in force with the plan. The error
	// tells what the driver cannot do, and then nothing is noted.
	Configure(spec agg.Spec) error
	// Driver tells what the driver makes of the ports now.
	Driver(ctx context.Context) (agg.DriverFacts, error)
}
