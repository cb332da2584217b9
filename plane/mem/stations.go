package mem

import (
	"context"

	"github.com/yokelag/yoke/agg"
)

// Stations tells who speaks by an aggregate: its device, with the addresses that
// SetAddresses gave it.
func (w *World) Stations(_ context.Context, aggregate string) ([]agg.Station, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	a := w.aggregates[aggregate]
	if a == nil || !a.device.Present {
		return nil, nil
	}
	return []agg.Station{{Name: aggregate, Addresses: a.device.Addresses}}, nil
}
