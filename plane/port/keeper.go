package port

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/bootclock"
	"github.com/yokelag/yoke/internal/iface"
	"github.com/yokelag/yoke/internal/netspace"
)

// Want is how a port should be while it is taken.
type Want struct {
	// MAC is the address; the zero MAC leaves the port's own.
	MAC agg.MAC
	// MTU is in bytes; 0 leaves the port's own.
	MTU int
}

// Keeper takes and gives back the ports of one aggregate. One goroutine may use it at
// a time.
type Keeper struct {
	path     string
	journal  journal
	space    *netspace.Space
	managers managers
	// clsact: the plane needs a clsact qdisc on its ports.
	clsact bool
	// promisc is what was set last, by ifindex.
	promisc map[int]bool
	// slow is the same of the group address of slow protocols.
	slow map[int]bool
	// crash is for tests: asked before every step, an error ends the operation there
	// without any clean-up, as a crash would.
	crash func() error
}

// Open reads the journal at path (its directory must exist) for the named aggregate,
// whose ports are in the calling thread's network namespace. A take that was cut short
// is undone, a release completed. A journal of an earlier boot says nothing about
// today's interfaces and is dropped. A journal of another namespace, or of a newer
// format, is refused with an [agg.Problem].
func Open(path, aggregate string) (*Keeper, error) {
	space, err := netspace.Current()
	if err != nil {
		return nil, err
	}
	k := &Keeper{path: path, space: space, managers: systemManagers(space)}
	if err := k.read(aggregate); err != nil {
		space.Close()
		return nil, err
	}
	if err := k.recover(); err != nil {
		space.Close()
		return nil, err
	}
	return k, nil
}

func (k *Keeper) read(aggregate string) error {
	boot, err := bootclock.BootID()
	if err != nil {
		return err
	}
	j, err := load(k.path)
	if err != nil {
		return err
	}
	here := k.space.ID().Inode
	if len(j.Ports) > 0 && j.Boot == boot && j.Namespace != here {
		return &agg.Problem{
			Code: "other-namespace", Object: k.path,
			Rule:   fmt.Sprintf("belongs to network namespace %d, and this one is %d", j.Namespace, here),
			Remedy: "give each yoked a state directory of its own: `yoked --state-dir DIR --socket DIR/yoke.sock`",
		}
	}
	if j.Boot != boot {
		j.Ports = nil
	}
	j.Version, j.Aggregate, j.Boot, j.Namespace = version, aggregate, boot, here
	k.journal = j
	return nil
}

// recover brings every port that is neither taken nor free back to what it was.
func (k *Keeper) recover() error {
	var errs []error
	for _, r := range k.Taken() {
		if r.Phase != taken {
			errs = append(errs, k.giveBack(context.Background(), r.Index))
		}
	}
	return errors.Join(errs...)
}

// Close lets go of the namespace and leaves the ports as they are.
func (k *Keeper) Close() error { return k.space.Close() }

// Taken returns the records of all ports that are taken, in the order they were.
func (k *Keeper) Taken() []Record { return slices.Clone(k.journal.Ports) }

// record returns the record of an ifindex, nil where there is none.
func (k *Keeper) record(index int) *Record {
	for i := range k.journal.Ports {
		if k.journal.Ports[i].Index == index {
			return &k.journal.Ports[i]
		}
	}
	return nil
}

// forget removes the record of an ifindex from the journal, on disk too.
func (k *Keeper) forget(index int) error {
	return k.step(func() error {
		delete(k.promisc, index)
		delete(k.slow, index)
		k.journal.Ports = slices.DeleteFunc(k.journal.Ports, func(r Record) bool { return r.Index == index })
		return k.journal.save(k.path)
	})
}

// mark writes a port's phase to disk.
func (k *Keeper) mark(index int, p phase) error {
	return k.step(func() error {
		k.record(index).Phase = p
		return k.journal.save(k.path)
	})
}

// errCrash is what a test's crash returns.
var errCrash = errors.New("crashed by the test")

// step does one thing that changes the world, unless a test crashes before it.
func (k *Keeper) step(fn func() error) error {
	if k.crash != nil {
		if err := k.crash(); err != nil {
			return err
		}
	}
	return fn()
}

// Take makes the named interface a port, and returns its ifindex. Where it is one
// already, only address and MTU are made as wanted: an admin state that an operator
// changed since is left alone. Where it is not, it is checked first as [Keeper.Check]
// does, and a take that fails leaves it as it was.
func (k *Keeper) Take(ctx context.Context, name string, w Want) (index int, err error) {
	err = k.space.Do(func() error {
		index, err = k.take(ctx, name, w)
		return err
	})
	if err != nil {
		return 0, err
	}
	return index, nil
}

func (k *Keeper) take(ctx context.Context, name string, w Want) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	l, err := iface.ByName(name, iface.Here)
	if err == nil && k.record(l.Index) != nil {
		return l.Index, k.again(l, w)
	}
	if err := k.check(name); err != nil {
		return 0, err
	}
	if err != nil {
		return 0, err
	}
	if err := k.dropVanished(ctx); err != nil {
		return 0, err
	}
	r, err := original(l)
	if err != nil {
		return 0, fmt.Errorf("take %s: %w", name, err)
	}
	if err := k.change(ctx, r, w); err != nil {
		err = fmt.Errorf("take %s: %w", name, err)
		if !errors.Is(err, errCrash) && k.record(r.Index) != nil {
			err = errors.Join(err, k.giveBack(ctx, r.Index))
		}
		return 0, err
	}
	return r.Index, nil
}

// dropVanished forgets ports whose interfaces are gone.
func (k *Keeper) dropVanished(ctx context.Context) error {
	for _, r := range k.Taken() {
		if _, err := iface.ByIndex(r.Index, iface.Here); iface.IsAbsent(err) {
			if err := k.giveBack(ctx, r.Index); err != nil {
				return err
			}
		}
	}
	return nil
}

// Release gives the port back exactly as it was: address, MTU, flags, admin state,
// IPv6 settings and VLAN filter. The name is the one it was taken under or has now. A
// port that is not taken, or whose interface is gone, is no error.
func (k *Keeper) Release(ctx context.Context, name string) error {
	return k.space.Do(func() error {
		if r := k.named(name); r != nil {
			return k.giveBack(ctx, r.Index)
		}
		return nil
	})
}

// named finds a record by the name the interface has now, then by the one it was taken
// under.
func (k *Keeper) named(name string) *Record {
	if l, err := iface.ByName(name, iface.Here); err == nil {
		if r := k.record(l.Index); r != nil {
			return r
		}
	}
	i := slices.IndexFunc(k.journal.Ports, func(r Record) bool { return r.Name == name })
	if i < 0 {
		return nil
	}
	return &k.journal.Ports[i]
}
