package keepalive

import (
	"errors"
	"fmt"

	"github.com/cilium/ebpf"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/bootclock"
	"github.com/yokelag/yoke/internal/clsact"
)

// Options are what a keeper needs to know.
type Options struct {
	// Guarded: the plane has a guard at the ports' egress that gives frames held here their
	// second choice. Otherwise they are dropped.
	Guarded bool
	// Programs are shared by the keepers of a process; nil makes some.
	Programs *Programs
}

// Keeper has the programs of one aggregate's ports. Its methods must be called in the
// network namespace of the ports, by one goroutine at a time.
type Keeper struct {
	options Options
	objects keepaliveObjects
	sees    bool
	epoch   uint32
	// set is what was set last, by ifindex.
	set map[int]State
}

// Open loads programs and attaches none. Those of an earlier daemon go on as they are until
// [Keeper.Set] replaces them, port by port. It needs CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON.
func Open(options Options) (*Keeper, error) {
	if options.Programs == nil {
		options.Programs = NewPrograms()
	}
	k := &Keeper{options: options, set: map[int]State{}}
	var err error
	if k.objects, k.sees, err = load(options.Programs); err != nil {
		return nil, fmt.Errorf("open the keep-alive of ports: %w", err)
	}
	return k, errors.Join(k.Beat(agg.Instant(bootclock.Now())))
}

// Beat says that the daemon was there at an instant and can speak for itself: one write,
// for all ports. [BeatEvery] is how often to call it.
func (k *Keeper) Beat(now agg.Instant) error {
	if err := k.objects.YokeBeat.Put(uint32(0), fromInstant(now)); err != nil {
		return fmt.Errorf("beat for the keep-alive of ports: %w", err)
	}
	return nil
}

// Set tells what may be said on a port from now on, and attaches the programs the first
// time: after the plane has put its own ones there. What was said before is forgotten, a
// [Stop] too. The same State again costs nothing.
func (k *Keeper) Set(ifindex int, s State) error {
	was, known := k.set[ifindex]
	if known && was == s {
		return nil
	}
	if err := k.change(ifindex, s, known); err != nil {
		return fmt.Errorf("set the keep-alive of interface %d: %w", ifindex, err)
	}
	k.set[ifindex] = s
	return nil
}

func (k *Keeper) change(ifindex int, s State, attached bool) error {
	if attached {
		before, _, err := k.recordOf(ifindex)
		if err != nil {
			return err
		}
		return k.write(ifindex, s, before.speech.MadeClsact)
	}
	in, err := look(hook{ifindex, true})
	if err != nil {
		return err
	}
	before, _, err := in.record()
	if err != nil {
		return err
	}
	made, err := ensureClsact(ifindex)
	if err != nil {
		return err
	}
	if made {
		before.speech.MadeClsact = 1
	}
	return errors.Join(k.write(ifindex, s, before.speech.MadeClsact),
		in.attach(k.objects.YokeAnswer), attach(hook{ifindex, false}, k.objects.YokeHold))
}

// ensureClsact reports whether it had to make the qdisc. Mostly a plane has made one, and
// to ask for that is one request, where to find it in the way of another is two.
func ensureClsact(ifindex int) (made bool, err error) {
	if has, err := clsact.Has(ifindex); err != nil || has {
		return false, err
	}
	return clsact.Add(ifindex)
}

// write says it to the programs. They begin anew with it.
func (k *Keeper) write(ifindex int, s State, madeClsact uint32) error {
	k.epoch++
	speech := keepaliveSpeech{Frame: s.frame(), OrphanTime: uint64(s.orphanTime()), Epoch: k.epoch, MadeClsact: madeClsact}
	until := uint64(0)
	if s.Speak {
		speech.Flags |= keepaliveSpeechFlagSPEAKS
		until = uint64(monotonic() + int64(s.timeout()))
	}
	if k.options.Guarded {
		speech.Flags |= keepaliveSpeechFlagGUARDED
	}
	port := uint32(ifindex)
	err := k.objects.YokeNotes.Update(port, keepaliveNote{}, ebpf.UpdateNoExist)
	if err != nil && !errors.Is(err, ebpf.ErrKeyExist) {
		return fmt.Errorf("make room for notes: %w", err)
	}
	return errors.Join(k.objects.YokeUntil.Put(port, until), k.objects.YokeSpeech.Put(port, &speech))
}

func (k *Keeper) attach(ifindex int) error {
	return errors.Join(
		attach(hook{ifindex, true}, k.objects.YokeAnswer), attach(hook{ifindex, false}, k.objects.YokeHold))
}

// recordOf is what the maps hold of a port: of this keeper where it was set, else of
// whichever daemon was there before.
func (k *Keeper) recordOf(ifindex int) (r record, found bool, err error) {
	if _, known := k.set[ifindex]; !known {
		return behind(ifindex)
	}
	err = r.read(k.objects.YokeNotes, k.objects.YokeSpeech, k.objects.YokeBeat, ifindex)
	return r, err == nil, err
}

// Noted returns what the programs on a port noted: those of this keeper, or before the
// first Set those that an earlier daemon left. ok is false where there are none.
func (k *Keeper) Noted(ifindex int) (n Noted, ok bool, err error) {
	r, found, err := k.recordOf(ifindex)
	if err != nil {
		return n, false, fmt.Errorf("read what was noted of interface %d: %w", ifindex, err)
	}
	return r.noted(), found, nil
}

// Mend attaches programs again that somebody has taken off the ports, or put others
// before, and tells on how many ports.
func (k *Keeper) Mend() (ports int, err error) {
	var errs []error
	for ifindex := range k.set {
		mended, err := k.mend(ifindex)
		if mended {
			ports++
		}
		if !clsact.IsGone(err) {
			errs = append(errs, err)
		}
	}
	return ports, errors.Join(errs...)
}

func (k *Keeper) mend(ifindex int) (mended bool, err error) {
	in, err := look(hook{ifindex, true})
	if err != nil {
		return false, err
	}
	out, err := look(hook{ifindex, false})
	if err != nil || in.stands() && out.stands() {
		return false, err
	}
	if _, err := clsact.Add(ifindex); err != nil {
		return false, err
	}
	err = k.attach(ifindex)
	return err == nil, err
}

// Remove takes the programs off a port, also those of an earlier daemon. It comes before
// the plane lets go of the port. A port that is gone is no error.
func (k *Keeper) Remove(ifindex int) error {
	before, _, err := k.recordOf(ifindex)
	errs := []error{err, detach(hook{ifindex, true}), detach(hook{ifindex, false})}
	if before.speech.MadeClsact != 0 {
		errs = append(errs, clsact.DropUnused(ifindex))
	}
	for _, m := range []*ebpf.Map{k.objects.YokeUntil, k.objects.YokeSpeech, k.objects.YokeNotes} {
		if err := m.Delete(uint32(ifindex)); err != nil && !errors.Is(err, ebpf.ErrKeyNotExist) {
			errs = append(errs, err)
		}
	}
	delete(k.set, ifindex)
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("remove the keep-alive of interface %d: %w", ifindex, err)
	}
	return nil
}

// RemoveAll takes the programs off every port that was set.
func (k *Keeper) RemoveAll() error {
	var errs []error
	for ifindex := range k.set {
		errs = append(errs, k.Remove(ifindex))
	}
	return errors.Join(errs...)
}

// Close lets go of descriptors. The programs stay, and act from [StaleAfter] the last beat.
func (k *Keeper) Close() error { return k.objects.Close() }
