package sim

import (
	"fmt"
	"maps"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/policy"
	"github.com/yokelag/yoke/watch"
)

// check holds at any time.
func (r *run) check() {
	r.t.Helper()
	f := r.observe()
	if f.Published == nil {
		if !r.refusing {
			r.failf("no plan is in force")
		}
		return
	}
	plan := *f.Published
	r.checkCounting(plan)
	r.checkShape(plan)
	r.checkTable(plan)
	r.checkFrames(plan)
}

// checkCounting: generations and events only grow, and no event is skipped.
func (r *run) checkCounting(plan agg.Plan) {
	r.t.Helper()
	if plan.Generation < r.generation {
		r.failf("generation %d after %d", plan.Generation, r.generation)
	}
	r.generation = plan.Generation
	events, lost := r.e.Events(r.seq)
	for i, e := range events {
		if e.Seq != r.seq+lost+uint64(i)+1 {
			r.failf("event %d stands where %d should", e.Seq, r.seq+lost+uint64(i)+1)
		}
	}
	r.seq += lost + uint64(len(events))
}

// checkShape: what a plan says of ports agrees with its table.
func (r *run) checkShape(plan agg.Plan) {
	r.t.Helper()
	used, listening := map[int]bool{}, 0
	for i, c := range plan.Table {
		if c.First < 0 || c.First == c.Second {
			r.failf("entry %d is %+v", i, c)
		}
		used[c.First] = true
	}
	for i, p := range plan.Ports {
		if used[i] && !p.Transmit || p.Transmit && !p.Receive {
			r.failf("port %+v, in the table: %v", p, used[i])
		}
		if p.Receive && !p.Transmit {
			listening++
		}
		// One port may still listen for what was under way when the traffic left it.
		if plan.Mode == agg.ActiveBackup && listening > 1 {
			r.failf("port %+v of active-backup", p)
		}
	}
	if plan.Carrier == plan.Blocked || plan.Carrier != (len(plan.Table) > 0) {
		r.failf("carrier %v, blocked %v, %d entries", plan.Carrier, plan.Blocked, len(plan.Table))
	}
}

// waited are the buckets that have waited for a pause, or do, with the ports that have them
// meanwhile. A move that the plane refuses comes later than its pause, so they are forgotten
// when they have moved, or all is calm.
func (r *run) waited(plan agg.Plan, calm bool) (held map[int]string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	held = maps.Clone(r.held)
	for i, name := range held {
		if calm || i >= len(plan.Table) || plan.Ports[plan.Table[i].First].Name != name {
			delete(r.held, i)
		}
	}
	return held
}

// drains reports whether buckets wait for a pause, by the saved state.
func (r *run) drains() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.saved != nil && r.saved.Policy.Drain.Holding()
}

// checkTable: a bucket moves only if the port that had it is gone, if it comes back
// to a port that was not usable before, if it has waited for a pause since then, or where
// the configuration was changed.
func (r *run) checkTable(plan agg.Plan) {
	r.t.Helper()
	old := r.table
	speeds := ""
	for _, p := range plan.Ports {
		speeds += fmt.Sprint(p.Name, r.world.Link(p.Name).Speed, " ")
	}
	same, waited := speeds == r.speeds && !r.moving, r.waited(plan, false)
	r.table, r.speeds, r.moving = &plan, speeds, r.moving && r.drains()
	if old == nil || !same || plan.Select != agg.SelectBuckets || len(old.Table) != len(plan.Table) {
		return
	}
	for i := range plan.Table {
		from, to := old.Table[i].First, plan.Table[i].First
		if _, late := waited[i]; late {
			continue
		}
		if from != to && plan.Ports[from].Transmit && old.Ports[to].Transmit {
			r.failf("bucket %d moved from %s to %s, and both work", i, plan.Ports[from].Name, plan.Ports[to].Name)
		}
	}
}

// checkFrames: no frame is doubled, and none is lost while there is a port that works.
// Refused calls and downdelay excuse a loss, for their time.
func (r *run) checkFrames(plan agg.Plan) {
	r.t.Helper()
	alive := false
	for _, p := range r.spec.Ports {
		l := r.world.Link(p.Name)
		alive = alive || l.Present && l.Carrier
	}
	frame := make([]byte, 60)
	for i := range 32 {
		frame[5], frame[11] = byte(i*8), 1
		out := r.plane.Send(frame)
		if len(out) > 1 {
			r.failf("a frame left by %v", out)
		}
		if len(out) == 0 && alive && !r.refusing && !r.mayLose() {
			r.failf("a frame was lost although a port works; plan %+v", plan)
		}
	}
}

func (r *run) mayLose() bool { return r.spec.Config().Ports[0].DownDelay > 0 }

// checkSettled holds after a time in which nothing happened: the plan is what follows
// from the facts alone, and the plane does it.
func (r *run) checkSettled() {
	r.t.Helper()
	status, err := r.e.Status(r.t.Context())
	if err != nil || !status.Plan.InForce {
		r.failf("the plan is not in force after a calm: %v, %+v", err, status.Findings)
	}
	f := r.observe()
	r.waited(*f.Published, true)
	c := r.spec.Config()
	in := policy.Input{MAC: f.Published.MAC, Previous: policy.State{Active: status.Active, Primary: c.Primary}}
	for _, p := range r.spec.Ports {
		l, v := r.world.Link(p.Name), policy.Verdict{}
		if watch.NewCarrier(0, 0).Step(watch.Input{Link: l}).Phase == watch.Up {
			v.State = policy.Up
		}
		in.Ports = append(in.Ports, policy.PortInput{Link: l, Watch: v})
	}
	want, _, _ := policy.Plan(c, in)
	if r.speedsKnown() && !f.Published.Equal(want) {
		r.failf("after a calm the plane has\n%+v\nfrom the facts alone it is\n%+v", *f.Published, want)
	}
}

// speedsKnown: speeds are remembered while they are unknown, so a plan from the facts
// alone may give other shares then.
func (r *run) speedsKnown() bool {
	for _, p := range r.spec.Ports {
		if r.world.Link(p.Name).Speed == 0 {
			return false
		}
	}
	return true
}
