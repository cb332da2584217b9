package port

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/iface"
)

// Promiscuous makes the ports of a plan hear what is for other stations while the
// aggregate's device does: below a bridge, say, or while somebody captures. As with
// bonding all of them do, or in modes with an active port that one. A port that was
// promiscuous before it was taken stays so.
func (k *Keeper) Promiscuous(plan agg.Plan, device bool) error {
	return k.space.Do(func() error {
		var errs []error
		for i := range k.journal.Ports {
			r := &k.journal.Ports[i]
			want := r.Promisc || device && hearsAll(plan, plan.PortByName(r.Name))
			if on, known := k.promisc[r.Index]; r.Phase != taken || known && on == want || !known && !want && !r.PromiscSet {
				continue
			}
			errs = append(errs, k.setPromisc(r, want))
		}
		return errors.Join(errs...)
	})
}

// setPromisc sets the user's flag, which outlives the daemon. The journal comes first, so
// that the next daemon knows that it may be set.
func (k *Keeper) setPromisc(r *Record, on bool) error {
	if !r.PromiscSet {
		r.PromiscSet = true
		if err := k.step(func() error { return k.journal.save(k.path) }); err != nil {
			return err
		}
	}
	err := setFlag(r.Index, unix.IFF_PROMISC, on)
	if iface.IsAbsent(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("make port %s hear all: %w", r.Name, err)
	}
	if k.promisc == nil {
		k.promisc = map[int]bool{}
	}
	k.promisc[r.Index] = on
	return nil
}

// hearsAll reports whether a port of the plan hears for a promiscuous aggregate.
func hearsAll(plan agg.Plan, port int) bool {
	switch {
	case port == agg.NoPort:
		return false
	case plan.Mode != agg.ActiveBackup && plan.Mode != agg.BalanceTLB && plan.Mode != agg.BalanceALB:
		return true
	case plan.Select == agg.SelectFixed && len(plan.Table) > 0:
		return plan.Table[0].First == port
	default:
		return plan.Multicast == port
	}
}
