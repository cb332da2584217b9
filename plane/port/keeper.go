package port

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/bootclock"
	"github.com/yokelag/yoke/internal/ethtool"
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
	// features are asked for once.
	features ethtool.Names
	// clsact: the plane needs a clsact qdisc on its ports.
	clsact bool
	// uppers are those of the namespace, nil where each check reads them.
	uppers *iface.Kinds
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
// is undone, a release completed; where that cannot be done now, the record stays with
// the reason in its notes and the keeper tries again: one port must not keep the others
// from their aggregate. A journal of an earlier boot says nothing about
// today's interfaces and is dropped. A journal of another namespace, or of a newer
// format, is refused with an [agg.Problem].
func Open(path, aggregate string) (*Keeper, error) {
	k, err := open(path, aggregate)
	if err != nil {
		return nil, err
	}
	if err := k.settle(context.Background(), Record.Pending); err != nil {
		k.space.Close()
		return nil, err
	}
	return k, nil
}

// open reads the journal, and leaves it and the ports alone.
func open(path, aggregate string) (*Keeper, error) {
	space, err := netspace.Current()
	if err != nil {
		return nil, err
	}
	k := &Keeper{path: path, space: space, managers: systemManagers(space)}
	if err := k.read(aggregate); err != nil {
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

// settle gives back the ports that due says, which no plan has. What cannot be restored
// now keeps its record and stands in nobody's way.
func (k *Keeper) settle(ctx context.Context, due func(Record) bool) error {
	for _, r := range k.Taken() {
		if !due(r) {
			continue
		}
		err := k.giveBack(ctx, r.Index)
		if errors.Is(err, errCrash) {
			return err
		}
		if err != nil {
			k.note(r.Index, err)
		}
	}
	return nil
}

// over reports whether a port is one no more: it is being given back, or its interface is
// gone.
func over(r Record) bool {
	if r.Pending() {
		return true
	}
	_, err := iface.NameOf(r.Index)
	return iface.IsAbsent(err)
}

// note keeps in a record what went wrong with its port, each reason once. Where
// the disk does not take it, the next daemon finds out by itself.
func (k *Keeper) note(index int, err error) {
	r := k.record(index)
	if text := err.Error(); !slices.Contains(r.Notes, text) {
		r.Notes = append(slices.Clone(r.Notes), text)
		_ = k.journal.save(k.path)
	}
}

// Close lets go of the namespace and leaves the ports as they are.
func (k *Keeper) Close() error { return k.space.Close() }

// Taken returns the records of all ports that are taken, in the order they were, and of
// those that could not be given back yet.
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
// does, and a take that fails leaves it as it was. One that could not be given back is
// given back before.
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
	if r := k.record(l.Index); err == nil && r != nil {
		if !r.Pending() {
			return l.Index, k.again(ctx, l, w)
		}
		if err := k.giveBack(ctx, l.Index); err != nil {
			return 0, fmt.Errorf("take %s: %w", name, err)
		}
		l, err = iface.ByName(name, iface.Here) // it is otherwise now
	}
	if err := k.check(name); err != nil {
		return 0, err
	}
	if err != nil {
		return 0, err
	}
	if err := k.settle(ctx, over); err != nil {
		return 0, err
	}
	r, err := k.original(l)
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
