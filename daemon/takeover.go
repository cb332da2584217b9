package daemon

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/control"
	"github.com/yokelag/yoke/internal/handover"
	"github.com/yokelag/yoke/internal/iface"
)

// takeOverSuffix ends the name of the file that says what an aggregate took over.
const takeOverSuffix = ".takeover"

// takeOverVersion is that of the file.
const takeOverVersion = 1

// takeOver is what an aggregate took over from its ports, for the way back.
type takeOver struct {
	Version   int    `json:"version"`
	BootID    string `json:"boot_id"`
	Namespace uint64 `json:"network_namespace"`
	// Done: the aggregate has it all. Before that the next daemon takes it back.
	Done bool               `json:"done"`
	From []handover.Holding `json:"from"`
}

func (r *registry) takeOverPath(name string) string {
	return filepath.Join(r.dir, name+takeOverSuffix)
}

// upTakingOver makes an aggregate of ports that have addresses and routes, which it gets.
// For the time between, which is that of making the aggregate, nobody has them: sockets
// stay open, and TCP sends again what was lost. After a failure the ports have all back.
func (r *registry) upTakingOver(ctx context.Context, spec agg.Spec, from origin) error {
	if err := spec.Validate(); err != nil {
		return err
	}
	if a, err := r.get(spec.Name); err == nil {
		before, err := a.engine.Spec(ctx)
		return errors.Join(err, duplicate(before, spec))
	}
	_, inMemory := r.world.(*dryWorld)
	if inMemory {
		return r.up(ctx, spec, from)
	}
	spec, err := r.resolvedNow(spec)
	if err != nil {
		return err
	}
	t := takeOver{Version: takeOverVersion, BootID: r.world.BootID(), Namespace: r.world.Namespace()}
	for _, p := range spec.Ports {
		h, err := handover.Read(p.Name)
		if err == nil && !h.Empty() {
			t.From = append(t.From, h)
		}
	}
	spec = withAddressOf(spec, t.From)
	if err := r.checkApart(ctx, spec); err != nil {
		return err
	}
	if err := r.saveTakeOver(spec.Name, t); err != nil {
		return err
	}
	err = t.move(func() error {
		return r.up(ctx, spec, from)
	}, spec.Name)
	if err != nil {
		if _, there := r.get(spec.Name); there == nil {
			return errors.Join(err, r.release(ctx, spec.Name))
		}
		return errors.Join(err, r.giveBack(spec.Name))
	}
	t.Done = true
	return r.saveTakeOver(spec.Name, t)
}

// move takes from the ports, makes the aggregate and gives to it.
func (t takeOver) move(makeIt func() error, to string) error {
	for _, h := range t.From {
		if err := h.Remove(); err != nil {
			return err
		}
	}
	if err := makeIt(); err != nil {
		return err
	}
	for _, h := range t.From {
		if err := h.Give(to); err != nil {
			return err
		}
	}
	return nil
}

// withAddressOf makes the aggregate keep the Ethernet address that its IP addresses are
// known by, where it would get another port's.
func withAddressOf(spec agg.Spec, from []handover.Holding) agg.Spec {
	spec = spec.Clone()
	if len(from) == 0 || len(spec.Ports) == 0 || spec.Ports[0].Name == from[0].Name || spec.Options["mac"] != "" {
		return spec
	}
	if l, err := iface.ByIndex(from[0].Index, iface.Here); err == nil {
		_ = spec.Options.Set(agg.OfAggregate, "mac", l.HardwareAddr.String()) // the kernel's, so it is one
	}
	return spec
}

// checkApart is checkNew without the rules that a take-over is there for, and with those of
// what can be taken over.
func (r *registry) checkApart(ctx context.Context, spec agg.Spec) error {
	r.change.Lock()
	defer r.change.Unlock()
	var problems agg.Problems
	err := r.checkNew(ctx, spec, false)
	if several, ok := errors.AsType[agg.Problems](err); ok {
		for _, p := range several {
			if p.Code != "has-addresses" && p.Code != "has-routes" {
				problems = append(problems, p)
			}
		}
		err = nil
	}
	if err != nil || problems != nil {
		return errors.Join(err, problems.Err())
	}
	return r.checkHoldings(spec)
}

// checkHoldings refuses ports that have what cannot be moved to the aggregate.
func (r *registry) checkHoldings(spec agg.Spec) error {
	if _, inMemory := r.world.(*dryWorld); inMemory {
		return nil
	}
	var problems agg.Problems
	for _, p := range spec.Ports {
		if _, err := handover.Read(p.Name); err != nil {
			problems = append(problems, control.ProblemsOf(err)...)
		}
	}
	return problems.Err()
}

func (r *registry) saveTakeOver(name string, t takeOver) error {
	text, err := json.Marshal(t)
	if err != nil {
		return fmt.Errorf("write what %s takes over: %w", name, err)
	}
	return replaceFile(r.takeOverPath(name), append(text, '\n'))
}

// loadTakeOver reads what an aggregate took over in this boot; ok is false where nothing.
func (r *registry) loadTakeOver(name string) (t takeOver, ok bool, err error) {
	text, err := os.ReadFile(r.takeOverPath(name))
	if errors.Is(err, fs.ErrNotExist) {
		return t, false, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &t)
	}
	if err != nil {
		return t, false, fmt.Errorf("read what %s took over: %w", name, err)
	}
	if t.Version > takeOverVersion {
		return t, false, newerState(r.takeOverPath(name), t.Version, takeOverVersion)
	}
	return t, t.BootID == r.world.BootID() && t.Namespace == r.world.Namespace(), nil
}

// giveBack gives the ports of an aggregate that is gone what it took over. Where its state
// is still there it stands, whole or in part, also where nobody could look after it: it has
// the addresses, and what says whose they are is kept.
func (r *registry) giveBack(name string) error {
	if r.stands(name) {
		return nil
	}
	t, ok, err := r.loadTakeOver(name)
	if err != nil {
		return err
	}
	var errs []error
	if ok {
		for _, h := range t.From {
			errs = append(errs, h.Give(h.Name))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("give back what %s took over: %w", name, err)
	}
	if err := os.Remove(r.takeOverPath(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("forget what %s took over: %w", name, err)
	}
	return nil
}

// stands reports whether there is state of an aggregate of that name and of this boot, or
// state that cannot be read.
func (r *registry) stands(name string) bool {
	f, err := readState(filepath.Join(r.dir, name+stateSuffix))
	if err != nil {
		return !errors.Is(err, fs.ErrNotExist)
	}
	return f.BootID == r.world.BootID()
}

// release takes an aggregate apart and gives its ports back all that they had, addresses
// and routes that were taken over too.
func (r *registry) release(ctx context.Context, name string) error {
	if err := r.down(ctx, name); err != nil {
		return err
	}
	return r.giveBack(name)
}

// endTakeOvers finishes what an earlier daemon left half done: back to the ports.
func (r *registry) endTakeOvers(ctx context.Context) {
	files, err := filepath.Glob(filepath.Join(r.dir, "*"+takeOverSuffix))
	if err != nil {
		return
	}
	for _, file := range files {
		r.endTakeOver(ctx, strings.TrimSuffix(filepath.Base(file), takeOverSuffix))
	}
}

// endTakeOver is that of one aggregate.
func (r *registry) endTakeOver(ctx context.Context, name string) {
	t, ok, err := r.loadTakeOver(name)
	_, absent := r.get(name)
	switch {
	case err != nil:
	case !ok:
		err = os.Remove(r.takeOverPath(name))
		if errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
	case absent != nil:
		err = r.giveBack(name)
	case !t.Done:
		err = r.release(ctx, name)
	}
	if err != nil {
		r.log.Error("take-over not undone", "aggregate", name, "error", err)
	}
}

// holding is what the aggregate's own device has, nothing where that cannot be told.
func (r *registry) holding(s agg.Status) handover.Holding {
	if _, inMemory := r.world.(*dryWorld); inMemory {
		return handover.Holding{}
	}
	h, err := handover.Read(deviceName(s))
	if err != nil {
		r.log.Warn("addresses are not kept", "aggregate", s.Name, "error", err)
		return handover.Holding{}
	}
	return h
}

// deviceName is that of the aggregate's device, which somebody may have renamed.
func deviceName(s agg.Status) string { return cmp.Or(s.Device.Name, s.Name) }
