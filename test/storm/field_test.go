package storm

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"os"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/engine"
	"github.com/yokelag/yoke/internal/afpacket"
	"github.com/yokelag/yoke/internal/nstest"
	"github.com/yokelag/yoke/internal/rtnl"
	"github.com/yokelag/yoke/plane/ebpf"
)

// field is what all storms of one test share: the namespace of the aggregates, that of
// their ports' far ends, and the daemon's plumbing.
type field struct {
	t    testing.TB
	kind string // of plane
	dir  string
	// strict: a plan that comes later than quietTime is a failure.
	strict    bool
	near, far *nstest.NS
	listener  *rtnl.Listener
	// fresh has no subscribers, so it asks for everything, speeds too, at each reading.
	fresh     *rtnl.Listener
	frames    *afpacket.Sender
	farFrames *afpacket.Sender
	// programs are shared by the aggregates, as in a daemon.
	programs *ebpf.Programs
	// tool carries ethtool's ioctls.
	tool int
	// out sends frames by interfaces of near as an application does.
	out int
}

func newField(t *testing.T, kind string) *field {
	t.Helper()
	f := &field{t: t, kind: kind, dir: nstest.StateDir(t), near: nstest.New(t), far: nstest.New(t), strict: os.Getenv("STORM_STRICT") != "",
		programs: ebpf.NewPrograms()}
	f.must(f.near.Run(func() (err error) {
		if f.listener, err = rtnl.Open(); err != nil {
			return err
		}
		if f.fresh, err = rtnl.Open(); err != nil {
			return err
		}
		if f.frames, err = afpacket.NewSender(); err != nil {
			return err
		}
		if f.tool, err = unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0); err != nil {
			return err
		}
		f.out, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
		return err
	}))
	f.must(f.far.Run(func() (err error) {
		f.farFrames, err = afpacket.NewSender()
		return err
	}))
	t.Cleanup(func() {
		f.must(f.listener.Close())
		f.must(f.fresh.Close())
		f.must(f.frames.Close())
		f.must(f.farFrames.Close())
		f.must(unix.Close(f.out))
		f.must(unix.Close(f.tool))
	})
	return f
}

func (f *field) must(err error) {
	f.t.Helper()
	if err != nil {
		f.t.Fatal(err)
	}
}

func keys(m map[string]string) iter.Seq[string] { return maps.Keys(m) }

// links makes a listener an engine.Links.
type links struct{ listener *rtnl.Listener }

func (k links) Read(ctx context.Context, names []string) ([]agg.LinkFacts, error) {
	return k.listener.ReadFacts(ctx, names)
}

func (k links) Remember(name string, index int) { k.listener.Remember(name, index) }

func (k links) Subscribe(s engine.Subscription) (wake <-chan struct{}, cancel func()) {
	return k.listener.Subscribe(s.Names, s.Poll, s.Adapt, s.UseCarrier)
}

// store keeps the newest saved state.
type store struct {
	mu    sync.Mutex
	saved engine.Saved
}

func (s *store) Save(v engine.Saved) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.saved = v
	return nil
}

func (s *store) load() engine.Saved {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.saved
}

// recorder remembers the plan that its plane accepted last, so that a test can see it
// without waking the engine.
type recorder struct {
	engine.Plane
	mu      sync.Mutex
	plan    agg.Plan
	since   time.Time // since when the plane has this plan
	applied int
	refused int
	longest time.Duration
}

func (r *recorder) Apply(ctx context.Context, p agg.Plan) error {
	start := time.Now()
	err := r.Plane.Apply(ctx, p)
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil {
		r.refused++
		return err
	}
	if r.applied == 0 || !p.Equal(r.plan) {
		r.since = time.Now()
	}
	r.plan = p
	r.applied++
	r.longest = max(r.longest, time.Since(start))
	return nil
}

func (r *recorder) last() (plan agg.Plan, since time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.plan, r.since
}

// tally is what storms were like.
type tally struct {
	bounces, checks, frames  int
	applied, refused         int
	repairs                  uint64
	late                     int
	longestApply, latestPlan time.Duration
}

func (t *tally) add(o tally) {
	t.bounces += o.bounces
	t.checks += o.checks
	t.frames += o.frames
	t.applied += o.applied
	t.refused += o.refused
	t.repairs += o.repairs
	t.late += o.late
	t.longestApply = max(t.longestApply, o.longestApply)
	t.latestPlan = max(t.latestPlan, o.latestPlan)
}

func (t tally) String() string {
	return fmt.Sprintf("%d bounces, %d times of quiet (%d where the plan came later than %v, the latest by %v), %d frames seen where they should be, %d plans applied, %d tries failed for a port that changed meanwhile, %d repairs, longest apply %v",
		t.bounces, t.checks, t.late, quietTime, t.latestPlan.Round(time.Millisecond), t.frames, t.applied, t.refused, t.repairs, t.longestApply.Round(time.Millisecond))
}
