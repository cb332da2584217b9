package main

import (
	"context"
	"time"

	"github.com/yokelag/yoke/lacp"
)

// fleetRig is a daemon whose aggregates speak LACP at fast rate with a fleet.
type fleetRig struct {
	near, far *host
	fleet     *fleet
	daemon    *daemon
	// agreed is how long it took until all ports distributed.
	agreed time.Duration
}

func newFleetRig(ctx context.Context, s settings, lags int) (r *fleetRig, err error) {
	r = &fleetRig{}
	if r.near, err = newHost(); err != nil {
		return r, err
	}
	if r.far, err = newHost(); err != nil {
		return r, err
	}
	cables, err := lacpCables(r.near, r.far, lags)
	if err != nil {
		return r, err
	}
	if r.fleet, err = newFleet(r.far, cables); err != nil {
		return r, err
	}
	if r.daemon, err = startDaemon(ctx, r.near, s); err != nil {
		return r, err
	}
	if err := r.daemon.applyLACP(ctx, lags); err != nil {
		return r, err
	}
	begin := time.Now()
	r.fleet.up()
	all := func() bool { _, _, open := r.fleet.figures(); return open == 2*lags }
	if err := r.fleet.run(ctx, agreeWithin, all); err != nil {
		return r, err
	}
	r.agreed = time.Since(begin)
	return r, r.fleet.run(ctx, settle, nil)
}

func (r *fleetRig) close(ctx context.Context) {
	if r.daemon != nil {
		r.daemon.stop(ctx)
	}
	if r.fleet != nil {
		r.fleet.close()
	}
	for _, h := range []*host{r.near, r.far} {
		if h != nil {
			h.close()
		}
	}
}

// watched is what was seen of the daemon in a while: shares in percent of a core, its
// memory in MiB, the latest LACPDU of a port in ms, LACPDUs a second, and ports of the
// fleet that distribute in the end.
type watched struct {
	share, own, memory, late, rate float64
	open                           int
}

// watch leaves all alone for d.
func (r *fleetRig) watch(ctx context.Context, d time.Duration) (watched, error) {
	r.fleet.forget()
	used, own := r.daemon.processorTime(), ownTime()
	if err := r.fleet.run(ctx, d, nil); err != nil {
		return watched{}, err
	}
	used, own = r.daemon.processorTime()-used, ownTime()-own
	gap, came, open := r.fleet.figures()
	return watched{
		share: 100 * used.Seconds() / d.Seconds(), own: 100 * own.Seconds() / d.Seconds(), memory: r.daemon.status("VmRSS") / 1024,
		late: float64((gap - lacp.FastPeriodicTime).Microseconds()) / 1000, rate: float64(came) / d.Seconds(), open: open,
	}, nil
}
