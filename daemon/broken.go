package daemon

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/control"
)

// broken is an aggregate that nobody looks after: it could not be adopted, or not be taken
// apart. Its state file is there, and what it has in the kernel stands as it is. It keeps
// its name and its ports, so that nothing else is made of them.
type broken struct {
	file stateFile
	why  error
	// tries counts the failures in a row; next is when adoption is tried again.
	tries int
	next  time.Time
}

const (
	// readoptFirst is how long after a failure adoption is tried again, and readoptMost how
	// long at most: it doubles from one to the other.
	readoptFirst = time.Second
	readoptMost  = time.Minute
)

// lose lists an aggregate as broken instead of forgetting it.
func (r *registry) lose(f stateFile, why error) {
	name := f.Engine.Spec.Name
	r.edit(func() {
		b := &broken{file: f, why: why}
		if was := r.broken[name]; was != nil {
			b.tries = was.tries + 1
		}
		b.next = time.Now().Add(min(readoptFirst<<min(b.tries, 10), readoptMost))
		delete(r.all, name)
		r.broken[name] = b
	})
	select {
	case r.lost <- struct{}{}:
	default:
	}
}

// leave marks an aggregate that is to be taken apart and could not be, for the next daemon
// not to adopt it.
func (r *registry) leave(f stateFile, why error) error {
	f.Leaving = true
	err := r.newStore(f.Engine.Spec.Name).replace(f)
	r.lose(f, why)
	return err
}

// brokenOne returns a broken aggregate, nil where it is none.
func (r *registry) brokenOne(name string) *broken {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.broken[name]
}

// brokenOnes returns all of them in order of names.
func (r *registry) brokenOnes() []*broken {
	r.mu.RLock()
	defer r.mu.RUnlock()
	var out []*broken
	for _, name := range slices.Sorted(maps.Keys(r.broken)) {
		out = append(out, r.broken[name])
	}
	return out
}

// everyone names all aggregates, broken ones too, in order.
func (r *registry) everyone() []string {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.names()
}

// names is everyone for who holds mu.
func (r *registry) names() []string {
	return slices.Sorted(slices.Values(slices.Concat(slices.Collect(maps.Keys(r.all)), slices.Collect(maps.Keys(r.broken)))))
}

func (b *broken) name() string { return b.file.Engine.Spec.Name }

// problem is what whoever wants something of it is told.
func (b *broken) problem() *agg.Problem {
	if b.file.Leaving {
		return &agg.Problem{Code: control.FindingNotTakenApart, Object: b.name(), Rule: "could not be taken apart: " + b.why.Error(),
			Remedy: "`yoke down " + b.name() + "` tries again, and so does a daemon that is started anew"}
	}
	return &agg.Problem{Code: control.FindingNotAdopted, Object: b.name(), Rule: "nobody looks after it: " + b.why.Error(),
		Remedy: "what it has in the kernel stands as it is; adoption is tried again by itself, and `yoke down " + b.name() + "` takes it apart"}
}

// brokenStatus is what can be said of one without its engine and plane.
func (r *registry) brokenStatus(ctx context.Context, b *broken) agg.Status {
	p := b.problem()
	summary := "nobody looks after it"
	if b.file.Leaving {
		summary = "could not be taken apart"
	}
	return r.unknownStatus(ctx, b.file.Engine.Spec, b.file.Engine.Plane, summary, p)
}

// unknownStatus is that of an aggregate whose engine says nothing; p tells why.
func (r *registry) unknownStatus(ctx context.Context, spec agg.Spec, plane, summary string, p *agg.Problem) agg.Status {
	out := agg.Status{Name: spec.Name, Plane: plane, Mode: spec.Config().Mode.String(), Summary: spec.Name + ": " + summary, Total: len(spec.Ports),
		Plan: agg.PlanStatus{Order: []string{}}, Ports: []agg.PortStatus{}, Spec: spec.Clone(), At: r.world.Clock().Now(),
		Findings: []agg.Finding{{Code: p.Code, Severity: "error", Text: p.Rule, Remedy: p.Remedy}}}
	for _, port := range spec.Ports {
		out.Ports = append(out.Ports, agg.PortStatus{Name: port.Name, Reason: p.Code, Text: fmt.Sprintf("%s is a port of %s: %s", port.Name, spec.Name, summary),
			Gates: []agg.Gate{}, Facts: agg.PortFacts{LinkFacts: agg.LinkFacts{Name: port.Name}}})
	}
	if links, err := r.world.Links().Read(ctx, []string{spec.Name}); err == nil && len(links) == 1 {
		l := links[0]
		out.Device = agg.DeviceFacts{Present: l.Present, Name: l.Name, Index: l.Index, AdminUp: l.AdminUp, Carrier: l.Carrier, MAC: l.MAC, MTU: l.MTU}
	}
	return out
}

// readopt tries again to adopt what is due. It returns the names of those that are looked
// after now, and when to come again, 0 where nothing waits for that.
func (r *registry) readopt(ctx context.Context, now time.Time) (adopted []string, next time.Duration) {
	for _, b := range r.brokenOnes() {
		if b.file.Leaving { // only who asks for it again knows whether it may be touched
			continue
		}
		if !b.next.After(now) && r.readoptOne(ctx, b) {
			adopted = append(adopted, b.name())
		}
	}
	for _, b := range r.brokenOnes() {
		if wait := max(time.Millisecond, b.next.Sub(now)); !b.file.Leaving && (next == 0 || wait < next) {
			next = wait
		}
	}
	return adopted, next
}

func (r *registry) readoptOne(ctx context.Context, b *broken) bool {
	r.change.Lock()
	defer r.change.Unlock()
	if r.stopped || r.brokenOne(b.name()) != b {
		return false
	}
	err := r.adopt(ctx, b.file)
	if err != nil {
		r.log.Warn("not adopted, again", "aggregate", b.name(), "error", err)
	}
	return err == nil
}

// followBroken tries again to adopt what could not be, until the function that it returns
// is called. It calls adopted after some were.
func (r *registry) followBroken(ctx context.Context, adopted func(names []string)) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		timer := time.NewTimer(0)
		defer timer.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-r.lost:
			case <-timer.C:
			}
			names, next := r.readopt(context.WithoutCancel(ctx), time.Now())
			if len(names) > 0 {
				adopted(names)
			}
			timer.Stop()
			if next > 0 {
				timer.Reset(next)
			}
		}
	}()
	return func() {
		cancel()
		<-ended
	}
}
