package daemon

import (
	"log/slog"

	"github.com/yokelag/yoke/agg"
)

func newKernelWorld(_ string, _ *slog.Logger) (world, error) {
	return nil, &agg.Problem{Code: "not-built", Rule: "this yoked serves dry runs only", Remedy: "`yoked --dry eth1,eth2`"}
}
