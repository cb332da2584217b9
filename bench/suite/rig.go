package main

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/plane/ebpf"
	"github.com/yokelag/yoke/plane/user"
	"github.com/yokelag/yoke/policy"
)

// Addresses of a rig: on the aggregate's cables, and on the bare one.
const (
	nearAggregate, farAggregate = "192.0.2.1", "192.0.2.2"
	nearBare, farBare           = "198.51.100.1", "198.51.100.2"
)

// plane is what the suite needs of one.
type plane interface {
	Apply(ctx context.Context, p agg.Plan) error
	Observe(ctx context.Context) (agg.Facts, error)
	Destroy(ctx context.Context) error
}

// looks is how often a plane is observed before it is measured: plane ebpf makes one of
// its filters a link each time, calm after it took its ports.
const (
	looks = 8
	calm  = 4 * time.Second
)

// rig is two hosts with two cables for an aggregate and a bare one beside them, all of
// the same kind. Port eth0 is active, so its far end has the far address.
type rig struct {
	near, far *host
	plane     plane
	state     string
	gen       uint64
}

func newRig() (r *rig, err error) {
	r = &rig{}
	defer func() {
		if err != nil {
			r.close()
		}
	}()
	if r.near, err = newHost(); err != nil {
		return r, err
	}
	if r.far, err = newHost(); err != nil {
		return r, err
	}
	for _, name := range []string{"eth0", "eth1", "bare"} {
		if err := cable(r.near, r.far, name); err != nil {
			return r, err
		}
	}
	if r.state, err = os.MkdirTemp("", "yoke-bench-"); err != nil {
		return r, err
	}
	return r, errors.Join(r.near.address("bare", nearBare+"/24"), r.far.address("bare", farBare+"/24"),
		r.far.address("eth0", farAggregate+"/24"))
}

func (r *rig) close() {
	if r.plane != nil {
		_ = r.near.Do(func() error { return r.plane.Destroy(context.Background()) }) // the namespace goes next
	}
	for _, h := range []*host{r.near, r.far} {
		if h != nil {
			h.close()
		}
	}
	if r.state != "" {
		_ = os.RemoveAll(r.state)
	}
}

// open makes bond0 on the named plane, with an address and up.
func (r *rig) open(ctx context.Context, name string) error {
	err := r.near.Do(func() (err error) {
		switch name {
		case "ebpf":
			r.plane, err = orNil(ebpf.Open(ctx, ebpf.Options{Name: "bond0", StateDir: r.state}))
		default:
			r.plane, err = orNil(user.Open(ctx, user.Options{Name: "bond0", StateDir: r.state}))
		}
		return err
	})
	if err != nil {
		return err
	}
	return errors.Join(r.near.address("bond0", nearAggregate+"/24"), r.near.up("bond0"))
}

// orNil keeps a nil pointer from becoming a plane that is not nil.
func orNil[P interface {
	comparable
	plane
}](p P, err error) (plane, error) {
	if err != nil {
		return nil, err
	}
	return p, nil
}

// apply publishes the plan of these options, as after `yoke up bond0 WORDS eth0 eth1`.
func (r *rig) apply(ctx context.Context, words ...string) error {
	spec, err := agg.ParseArgs("bond0", append(words, "eth0", "eth1"))
	if err != nil {
		return err
	}
	if err := spec.Validate(); err != nil {
		return err
	}
	in := policy.Input{MAC: agg.MAC{2, 0, 0, 0, 0, 1}}
	for _, name := range []string{"eth0", "eth1"} {
		index, err := r.near.index(name)
		if err != nil {
			return err
		}
		in.Ports = append(in.Ports, policy.PortInput{
			Link: agg.LinkFacts{Name: name, Index: index, Present: true, Speed: 10000}, Watch: policy.Verdict{State: policy.Up},
		})
	}
	plan, _, _ := policy.Plan(spec.Config(), in)
	r.gen++
	plan.Generation = r.gen
	return r.near.Do(func() error {
		err := r.plane.Apply(ctx, plan)
		if r.gen == 1 {
			wait(ctx, calm)
		}
		for range looks {
			if err == nil {
				_, err = r.plane.Observe(ctx)
			}
		}
		return err
	})
}
