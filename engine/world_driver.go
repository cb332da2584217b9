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
	// tells what the driver cannot do, and then nothing is noted. again are options that were
	// set again (see [Engine.Update]): Apply sets them also where they are so already.
	Configure(spec agg.Spec, again []string) error
	// Driver tells what the driver makes of the ports now.
	Driver(ctx context.Context) (agg.DriverFacts, error)
}
