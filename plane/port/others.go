package port

import (
	"context"
	"errors"

	"github.com/yokelag/yoke/agg"
)

// ReleaseOthers gives back every port that is taken and not in a plan. Whatever device had
// them must have let go of them.
func (k *Keeper) ReleaseOthers(ctx context.Context, plan agg.Plan) error {
	var errs []error
	for _, r := range k.Taken() {
		if plan.PortByName(r.Name) == agg.NoPort {
			errs = append(errs, k.Release(ctx, r.Name))
		}
	}
	return errors.Join(errs...)
}
