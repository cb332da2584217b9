package port

import (
	"context"
	"strings"

	"github.com/yokelag/yoke/agg"
)

// LetGo gives back every port that is taken and not in a plan, for a plane that goes on
// where one cannot be given back: it returns why, one text for each reason, and the next
// call tries again. Whatever device had the ports must have let go of them.
func (k *Keeper) LetGo(ctx context.Context, plan agg.Plan) (why []string) {
	for _, r := range k.Taken() {
		if plan.PortByName(r.Name) != agg.NoPort {
			continue
		}
		if err := k.Release(ctx, r.Name); err != nil {
			why = append(why, strings.Split(err.Error(), "\n")...)
		}
	}
	return why
}
