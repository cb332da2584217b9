package daemon

import (
	"context"
)

// await takes an aggregate apart when somebody has deleted its device, and gives it the
// name that somebody gave its device.
func (r *registry) await(a *aggregate, deleted <-chan struct{}, renamed <-chan string) {
	for {
		select {
		case <-a.ended:
			return
		case <-deleted:
			r.deleted(a)
			return
		case to := <-renamed:
			r.renamed(a, to)
		}
	}
}

// still reports whether the aggregate was not taken apart meanwhile. The caller holds change.
func (r *registry) still(a *aggregate) bool {
	now, err := r.get(a.name)
	return !r.stopped && err == nil && now == a
}

// renamed is for an aggregate whose device has another name now.
func (r *registry) renamed(a *aggregate, to string) {
	r.change.Lock()
	defer r.change.Unlock()
	if !r.still(a) {
		return
	}
	if err := r.rename(context.Background(), a, to); err != nil {
		r.log.Error("its device has another name, and the aggregate cannot follow", "aggregate", a.name, "device", to, "error", err)
		return
	}
	r.log.Info("renamed", "aggregate", to, "before", a.name)
}

// deleted takes an aggregate apart whose device is gone, as `ip link del bond0` takes a
// bond apart: its ports are as they were before.
func (r *registry) deleted(a *aggregate) {
	r.change.Lock()
	defer r.change.Unlock()
	if !r.still(a) {
		return
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
