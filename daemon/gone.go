package daemon

import (
	"context"
	"errors"

	"github.com/yokelag/yoke/agg"
)

// gonePlane stands for a plane that forwards nothing, to inspect its aggregate. The
// value is the plane's name.
type gonePlane string

var errGone = errors.New("nobody looks after this aggregate; start yoked")

// Capability implements engine.Plane.
func (g gonePlane) Capability() agg.Capability { return agg.Capability{Plane: string(g)} }

// Apply implements engine.Plane.
func (g gonePlane) Apply(context.Context, agg.Plan) error { return errGone }

// Observe implements engine.Plane.
func (g gonePlane) Observe(context.Context) (agg.Facts, error) { return agg.Facts{}, nil }

// Close implements engine.Plane.
func (g gonePlane) Close() error { return nil }

// Destroy implements engine.Plane.
func (g gonePlane) Destroy(context.Context) error { return errGone }
