package port

import (
	"errors"
	"fmt"

	"github.com/yokelag/yoke/internal/clsact"
)

// NeedClsact says that the plane will put filters on the ports: from now on
// [Keeper.Check] and [Keeper.Take] refuse interfaces that have an ingress qdisc, which is
// in the place of the one needed.
func (k *Keeper) NeedClsact() { k.clsact = true }

// EnsureClsact gives a port that is taken a clsact qdisc where it has none. One that is
// made goes when the port is given back, unless somebody else's filters are in it then;
// that is written down before, so that no crash leaves it behind. Making one stops what
// the interface sends for a moment: it must not carry yet. An ingress qdisc in its place
// is an [agg.Problem].
func (k *Keeper) EnsureClsact(index int) error {
	return k.space.Do(func() error {
		if has, err := clsact.Has(index); err != nil || has {
			return err
		}
		r := k.record(index)
		if r == nil {
			return fmt.Errorf("interface %d is no port that is taken", index)
		}
		save := func() error { return k.journal.save(k.path) }
		r.Clsact = true
		if err := k.step(save); err != nil {
			return err
		}
		err := k.step(func() error { return AddClsact(index) })
		if err == nil || errors.Is(err, errCrash) {
			return err
		}
		r.Clsact = false
		return errors.Join(err, save())
	})
}

// AddClsact makes a clsact qdisc; one that is there is no error. An ingress qdisc in its
// place is an [agg.Problem].
func AddClsact(index int) error {
	_, err := clsact.Add(index)
	return err
}

// removeClsact takes a qdisc of ours away again where no filter is in it.
func removeClsact(r Record) error {
	if !r.Clsact {
		return nil
	}
	return clsact.DropUnused(r.Index)
}
