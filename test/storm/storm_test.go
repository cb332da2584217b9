package storm

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/engine"
	"github.com/yokelag/yoke/internal/bootclock"
	"github.com/yokelag/yoke/internal/nstest"
	"github.com/yokelag/yoke/plane/ebpf"
	"github.com/yokelag/yoke/plane/user"
)

// stretch is how many bounces there are between two times of quiet, and quietTime how
// long that is.
const (
	stretch   = 50
	quietTime = 100 * time.Millisecond
)

// storms runs a number of storms, one aggregate each, so many at a time.
func storms(t *testing.T, plane string) {
	if os.Getenv("STORM_BOUNCES") == "" {
		t.Parallel() // the short form; in the long one the planes would delay each other
	}
	first, seeds, bounces := number(t, "STORM_SEED", 0), number(t, "STORM_SEEDS", 4), number(t, "STORM_BOUNCES", 100)
	f := newField(t, plane)
	var all []*storm
	for atOnce := number(t, "STORM_AT_ONCE", 10); len(all) < seeds; {
		group := make([]*storm, min(atOnce, seeds-len(all)))
		for i := range group {
			group[i] = f.storm(first + len(all) + i)
		}
		f.together(group, bounces)
		all = append(all, group...)
	}
	var sum tally
	for _, s := range all {
		sum.add(s.tally)
		t.Logf("seed %d (%s): %s", s.seed, s.words, s.tally)
	}
	t.Logf("plane %s, %d storms of %d bounces: %s", plane, seeds, bounces, sum)
}

// together lets storms rage at once, with quiet for all of them now and then.
func (f *field) together(all []*storm, bounces int) {
	t := f.t
	failed := func(s *storm, err error) {
		t.Errorf("plane %s, seed %d, %s: after %d bounces: %v\nthe same bounces again: STORM_SEED=%d STORM_SEEDS=1 STORM_BOUNCES=%d go test -run %s ./test/storm\nlast events:\n%s",
			f.kind, s.seed, s.words, s.tally.bounces, err, s.seed, bounces, t.Name(), s.history())
	}
	standing := all
	for done := 0; done < bounces; done += stretch {
		standing = each(standing, failed, func(s *storm) error { return s.rage(min(stretch, bounces-done)) })
		standing = each(standing, failed, (*storm).takeSomeOut)
		standing = each(standing, failed, (*storm).judge)
		standing = each(standing, failed, (*storm).comeBack)
	}
	each(standing, failed, (*storm).judge)
}

func TestStormOnEBPF(t *testing.T) {
	nstest.Require(t, "root", "veth", "tun", "bpf")
	storms(t, "ebpf")
}

func TestStormOnUser(t *testing.T) {
	nstest.Require(t, "root", "veth", "tun")
	storms(t, "user")
}

func number(t *testing.T, variable string, otherwise int) int {
	t.Helper()
	text := os.Getenv(variable)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("%s: %v", variable, err)
	}
	return n
}

// storm is one aggregate, and what happens to it.
type storm struct {
	*field
	seed   int
	words  string // its options
	random *rand.Rand
	spec   agg.Spec
	ports  []*port
	plane  *recorder
	store  *store
	engine *engine.Engine
	checks int
	tally  tally
}

// storm makes an aggregate of two veth ports and a tap, and waits until it is up.
func (f *field) storm(seed int) *storm {
	f.t.Helper()
	s := &storm{field: f, seed: seed, random: rand.New(rand.NewPCG(uint64(seed), 1)), store: &store{}}
	s.spec = agg.Spec{Name: fmt.Sprintf("bond%d", seed)}
	for k, kind := range []kind{veth, veth, tap} {
		p := &port{field: f, kind: kind, name: fmt.Sprintf("s%dp%d", seed, k), end: fmt.Sprintf("s%df%d", seed, k), arrived: map[uint32]int{}}
		f.must(p.create())
		s.ports = append(s.ports, p)
		s.spec.Ports = append(s.spec.Ports, agg.PortSpec{Name: p.name})
	}
	options := s.options()
	for _, name := range slices.Sorted(keys(options)) {
		s.words += name + "=" + options[name] + " "
		f.must(s.spec.Options.Set(agg.OfAggregate, name, options[name]))
	}
	f.must(s.spec.Validate())
	f.must(s.begin())
	return s
}

// options differ by seed, so that all are met in twenty.
func (s *storm) options() map[string]string {
	o := map[string]string{"mode": "balance-xor"}
	switch s.seed % 4 {
	case 0:
		o["mode"] = "active-backup"
	case 2:
		o["mode"], o["primary"] = "active-backup", s.ports[s.seed/4%3].name
	case 3:
		if s.seed%8 == 3 {
			o["hash_map"] = "modulo"
		}
	}
	if s.kind == "ebpf" && s.seed%5 == 1 {
		o["fast_path"] = "on"
	}
	if s.seed%5 == 4 {
		o["updelay"], o["downdelay"] = "30ms", "20ms"
	}
	return o
}

// begin opens the plane and runs the engine until the test ends.
func (s *storm) begin() error {
	ctx := context.Background()
	err := s.near.Run(func() (err error) {
		s.plane, err = s.open(ctx)
		return err
	})
	if err != nil {
		return err
	}
	s.engine, err = engine.New(s.spec, engine.World{
		Plane: s.plane, Links: links{s.listener}, Frames: s.frames, Clock: bootclock.Clock{}, Store: s.store, PID: os.Getpid(),
	}, nil)
	if err != nil {
		return err
	}
	running, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	s.near.Go(func() {
		defer close(ended)
		if err := s.engine.Run(running); err != nil {
			s.t.Errorf("seed %d: %v", s.seed, err)
		}
	})
	s.t.Cleanup(func() {
		cancel()
		<-ended
		if err := s.near.Run(func() error { return s.plane.Destroy(ctx) }); err != nil {
			s.t.Errorf("seed %d: %v", s.seed, err)
		}
	})
	return s.engine.Ready(ctx)
}

func (s *storm) open(ctx context.Context) (*recorder, error) {
	if s.kind == "ebpf" {
		p, err := ebpf.Open(ctx, ebpf.Options{Name: s.spec.Name, StateDir: s.dir, Programs: s.programs})
		return &recorder{Plane: p}, err
	}
	p, err := user.Open(ctx, user.Options{Name: s.spec.Name, StateDir: s.dir, ShortFrames: 512, LongFrames: 8})
	return &recorder{Plane: p}, err
}

// each has all storms do one thing side by side, and returns those that did not fail.
func each(all []*storm, failed func(*storm, error), do func(*storm) error) (standing []*storm) {
	var tasks sync.WaitGroup
	errs := make([]error, len(all))
	for i, s := range all {
		tasks.Go(func() { errs[i] = do(s) })
	}
	tasks.Wait()
	for i, s := range all {
		if errs[i] != nil {
			failed(s, errs[i])
			continue
		}
		standing = append(standing, s)
	}
	return standing
}

// rage bounces ports one after the other, and now and then some at once.
func (s *storm) rage(bounces int) error {
	var behind sync.WaitGroup
	errs := make([]error, bounces)
	for i := range bounces {
		p, b := s.ports[s.random.IntN(len(s.ports))], s.bounce()
		s.tally.bounces++
		if s.random.IntN(8) == 0 {
			behind.Go(func() { errs[i] = p.suffer(b) })
			continue
		}
		errs[i] = p.suffer(b)
	}
	behind.Wait()
	return errors.Join(errs...)
}

// takeSomeOut leaves none, one or two of the ports without carrier, down or absent.
func (s *storm) takeSomeOut() error {
	for _, i := range s.random.Perm(len(s.ports))[:s.random.IntN(3)] {
		if err := s.ports[i].goOut(s.random.IntN(3)); err != nil {
			return err
		}
	}
	return nil
}

func (s *storm) comeBack() error {
	for _, p := range s.ports {
		if err := p.comeBack(); err != nil {
			return err
		}
	}
	return nil
}

func (s *storm) history() string {
	events, _ := s.engine.Events(0)
	var b []byte
	for _, e := range events[max(0, len(events)-40):] {
		b = fmt.Appendf(b, "%d.%03d %s %s %s: %s\n", e.Time/1e9, e.Time/1e6%1000, e.Kind, e.Cause, e.Port, e.Text)
	}
	return string(b)
}

var errNotSettled = errors.New("the plane does not do what follows from the facts")
