package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/control"
)

// confirmName is the file in the state directory that says what to undo.
const confirmName = "unconfirmed"

// confirmVersion is that of the file.
const confirmVersion = 1

// maxConfirm is the longest time to confirm in.
const maxConfirm = 24 * time.Hour

// unconfirmed is a change that is undone at Deadline unless somebody confirms it.
type unconfirmed struct {
	Version   int         `json:"version"`
	BootID    string      `json:"boot_id"`
	Namespace uint64      `json:"network_namespace"`
	What      string      `json:"what"`
	Deadline  agg.Instant `json:"deadline"`
	// Failed is why it could not be undone when that was tried last, empty before. It is
	// tried again at Deadline then.
	Failed string `json:"failed,omitempty"`
	past
}

// confirmation undoes what nobody confirms. The file is there before the change is made
// and until it is decided, so that a daemon that starts meanwhile goes on with it.
type confirmation struct {
	registry *registry
	path     string
	// after is called when something was kept or undone, for what waited for that.
	after func()
	// undone is called with what aggregates were before the change that is about to be
	// forgotten, because it was undone.
	undone func(before map[string]*agg.Spec)
	// pause is for how long an undo that failed is left, by how often it did.
	pause func(tries int) time.Duration

	// deciding is held while the change is made, and while somebody keeps or undoes it:
	// who comes too early waits for the change.
	deciding sync.Mutex

	mu  sync.Mutex
	now *unconfirmed
	// tries counts how often it could not be undone.
	tries int
	timer *time.Timer
	ended bool
	tasks sync.WaitGroup
}

func newConfirmation(r *registry, undone func(before map[string]*agg.Spec), after func()) *confirmation {
	return &confirmation{registry: r, path: filepath.Join(r.dir, confirmName), undone: undone, after: after, pause: undoPause}
}

// maxUndoPause is the longest time between two tries to undo.
const maxUndoPause = time.Minute

// undoPause begins with a second and doubles: what is in the way may be gone at once, and
// may be there for long.
func undoPause(tries int) time.Duration {
	return min(maxUndoPause, time.Second<<min(tries-1, 6))
}

// around makes a change by f that is undone after d unless it is confirmed; with a d of 0
// it just makes it. A change that fails needs no undoing where it was taken back; where it
// was not, that is tried until it is.
func (c *confirmation) around(what string, d time.Duration, was past, f func() error) error {
	if d == 0 {
		return f()
	}
	if d < 0 || d > maxConfirm {
		return &agg.Problem{Code: "invalid-value", Option: "confirm", Value: d.String(), Rule: fmt.Sprintf("must be more than nothing and at most %v", maxConfirm), Remedy: "for example `--confirm 60s`"}
	}
	// Refused at once, and not when the change that is being made is done.
	if err := c.free(); err != nil {
		return err
	}
	c.deciding.Lock()
	defer c.deciding.Unlock()
	if err := c.begin(what, d, was); err != nil {
		return err
	}
	if err := f(); err != nil {
		return errors.Join(err, c.abandon(err))
	}
	return c.restart(d)
}

// abandon ends the waiting for a change that failed, or undoes what is left of it. The
// caller holds deciding.
func (c *confirmation) abandon(why error) error {
	u := c.waits()
	left, ok := errors.AsType[*notTakenBack](why)
	switch {
	case ok:
		why = left.err
	case c.registry.areAsBefore(context.Background(), u.Before):
		if why = c.forget(); why == nil {
			return nil
		}
	}
	c.later(why)
	return &agg.Problem{Code: "not-taken-back", Object: u.What, Rule: "failed, and not all of it could be taken back; that is tried until it is",
		Remedy: "`yoke confirm --show` tells how it stands, `yoke confirm --undo` tries at once"}
}

// waits is what waits, nil where nothing does.
func (c *confirmation) waits() *unconfirmed {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// later tries to undo again after a pause.
func (c *confirmation) later(why error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tries++
	pause := c.pause(c.tries)
	c.now.Failed, c.now.Deadline = why.Error(), c.registry.world.Clock().Now().Add(pause)
	c.arm()
	c.registry.log.Error("not undone; it is tried again", "what", c.now.What, "after", pause, "error", why)
	if err := c.save(c.now); err != nil {
		c.registry.log.Error("state not saved", "error", err)
	}
}

// free refuses a second change while one waits or is being made.
func (c *confirmation) free() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.now == nil {
		return nil
	}
	return &agg.Problem{Code: "unconfirmed", Object: c.now.What, Rule: "waits to be confirmed, and only one change can at a time",
		Remedy: "keep it with `yoke confirm`, or undo it now with `yoke confirm --undo`"}
}

// begin notes what is to be undone; the caller holds deciding.
func (c *confirmation) begin(what string, d time.Duration, was past) error {
	if err := c.free(); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	w := c.registry.world
	u := &unconfirmed{Version: confirmVersion, BootID: w.BootID(), Namespace: w.Namespace(), What: what, Deadline: w.Clock().Now().Add(d), past: was}
	if err := c.save(u); err != nil {
		return err
	}
	c.now = u
	return nil
}

// restart begins the time anew, when the change is made.
func (c *confirmation) restart(d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now.Deadline = c.registry.world.Clock().Now().Add(d)
	c.arm()
	return c.save(c.now)
}

// arm sets the timer; the caller holds mu.
func (c *confirmation) arm() {
	if c.ended {
		return
	}
	if c.timer != nil {
		c.timer.Stop()
	}
	left := c.now.Deadline.Sub(c.registry.world.Clock().Now())
	u := c.now
	c.timer = time.AfterFunc(max(0, left), func() { c.expire(u) })
}

// expire undoes u where it still waits.
func (c *confirmation) expire(u *unconfirmed) {
	c.mu.Lock()
	waits := c.now == u && !c.ended
	if waits {
		c.tasks.Add(1)
	}
	c.mu.Unlock()
	if !waits {
		return
	}
	defer c.tasks.Done()
	c.deciding.Lock()
	defer c.deciding.Unlock()
	if c.waits() != u { // somebody decided meanwhile
		return
	}
	c.registry.log.Warn("undone, because nobody confirmed it", "what", u.What)
	_ = c.bringBack(u) // it is logged, and tried again
}

// bringBack undoes u, or tries again later. The file goes last, so that an undo that was
// cut short is done by the next daemon. The caller holds deciding.
func (c *confirmation) bringBack(u *unconfirmed) error {
	err := c.registry.restore(context.Background(), u.past)
	if err == nil {
		c.undone(u.Before)
		err = c.decided()
	}
	if err != nil {
		c.later(err)
	}
	return err
}

func (c *confirmation) save(u *unconfirmed) error {
	text, err := json.Marshal(u)
	if err != nil {
		return fmt.Errorf("write what is to be confirmed: %w", err)
	}
	return replaceFile(c.path, append(text, '\n'))
}

// forget ends the waiting; what was made stays.
func (c *confirmation) forget() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.drop()
}

// drop is forget; the caller holds mu. It waits still where the file is there still, by
// which the next daemon would undo it.
func (c *confirmation) drop() error {
	if err := os.Remove(c.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("forget what was to be confirmed: %w", err)
	}
	if c.timer != nil {
		c.timer.Stop()
	}
	c.now, c.timer, c.tries = nil, nil, 0
	return nil
}

// pending is what waits.
func (c *confirmation) pending() control.Pending {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := control.Pending{Version: control.Version}
	if c.now == nil {
		return p
	}
	left := c.now.Deadline.Sub(c.registry.world.Clock().Now())
	p.Waiting, p.What, p.Aggregates, p.Failed = true, c.now.What, slices.Sorted(maps.Keys(c.now.Before)), c.now.Failed
	p.LeftMS, p.Until = max(0, left.Milliseconds()), time.Now().Add(left).Round(time.Millisecond)
	return p
}

func nothingWaits() *agg.Problem {
	return &agg.Problem{Code: control.CodeNotFound, Object: "confirm", Rule: "no change waits to be confirmed; if one did, its time is over and it was undone",
		Remedy: "`yoke events` tells what happened"}
}

// confirm keeps what waits. Who went away while the change was made keeps nothing.
func (c *confirmation) confirm(ctx context.Context) (control.Pending, error) {
	c.deciding.Lock()
	defer c.deciding.Unlock()
	if err := ctx.Err(); err != nil {
		return control.Pending{}, err
	}
	p := c.pending()
	if !p.Waiting {
		return p, nothingWaits()
	}
	c.registry.log.Info("confirmed", "what", p.What)
	return p, c.decided()
}

// undo brings back what was before.
func (c *confirmation) undo(ctx context.Context) (control.Pending, error) {
	c.deciding.Lock()
	defer c.deciding.Unlock()
	if err := ctx.Err(); err != nil {
		return control.Pending{}, err
	}
	p := c.pending()
	if !p.Waiting {
		return p, nothingWaits()
	}
	return p, c.bringBack(c.waits())
}

func (c *confirmation) decided() error {
	err := c.forget()
	c.mu.Lock()
	defer c.mu.Unlock()
	if err == nil && !c.ended {
		c.tasks.Go(c.after)
	}
	return err
}

// resume goes on with what an earlier daemon of this boot left undecided.
func (c *confirmation) resume() error {
	text, err := os.ReadFile(c.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	var u unconfirmed
	if err == nil {
		err = json.Unmarshal(text, &u)
	}
	if err != nil {
		return fmt.Errorf("read what is to be confirmed: %w", err)
	}
	if u.Version > confirmVersion {
		return newerState(c.path, u.Version, confirmVersion)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if u.BootID != c.registry.world.BootID() || u.Namespace != c.registry.world.Namespace() {
		return c.drop()
	}
	c.now = &u
	c.arm()
	return nil
}

// stop ends the timer and waits for an undo that is being done. The next daemon goes on.
func (c *confirmation) stop() {
	c.mu.Lock()
	c.ended = true
	if c.timer != nil {
		c.timer.Stop()
	}
	c.mu.Unlock()
	c.tasks.Wait()
}
