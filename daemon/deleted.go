package daemon

import (
	"context"
)

// awaitDeleted takes an aggregate apart when somebody has deleted its device, as
// `ip link del bond0` takes a bond apart: its ports are as they were before.
func (r *registry) awaitDeleted(a *aggregate, deleted <-chan struct{}) {
	select {
	case <-a.ended:
		return
	case <-deleted:
	}
	r.change.Lock()
	defer r.change.Unlock()
	if now, err := r.get(a.name); r.stopped || err != nil || now != a {
		return // taken apart meanwhile
	}
	r.drop(a.name)
	if err := r.takeApart(context.Background(), a); err != nil {
		r.log.Error("its device was deleted, and it cannot be taken apart", "aggregate", a.name, "error", err)
		return
	}
	if err := r.giveBack(a.name); err != nil {
		r.log.Error("its device was deleted, and its ports lack what it took over", "aggregate", a.name, "error", err)
	}
	r.log.Warn("taken apart because its device was deleted", "aggregate", a.name)
}
