package team

import (
	"errors"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/yokelag/yoke/internal/nstest"
)

const patience = 10 * time.Second

// rig is a namespace with a connection to the driver and two cables.
type rig struct {
	*nstest.NS
	kernel *Kernel
	far    *nstest.NS
}

func newRig(t *testing.T) *rig {
	t.Helper()
	nstest.Require(t, "root", "veth", "team")
	r := &rig{NS: nstest.New(t), far: nstest.New(t)}
	err := r.Run(func() (err error) { r.kernel, err = Open(); return err })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.kernel.Close() })
	for _, p := range []string{"p0", "p1"} {
		r.Veth(p, r.far, p)
		r.SetDown(p)
	}
	return r
}

func (r *rig) create(t *testing.T, mode string) *Device {
	t.Helper()
	d, err := r.kernel.Create("team0", CreateOptions{MAC: []byte{2, 0, 0, 0, 0, 1}, MTU: 1400})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Destroy() })
	if mode != "" {
		must(t, d.SetMode(mode))
	}
	return d
}

func (r *rig) with(t *testing.T, mode string) (*Device, int, int) {
	t.Helper()
	d := r.create(t, mode)
	p0, p1 := r.Index("p0"), r.Index("p1")
	must(t, d.AddPort(p0))
	must(t, d.AddPort(p1))
	return d, p0, p1
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestKernelLife(t *testing.T) {
	r := newRig(t)
	d := r.create(t, "")
	if got := r.MAC("team0").String(); got != "02:00:00:00:00:01" || r.Link("team0").Attrs().MTU != 1400 {
		t.Errorf("created with %s, MTU %d", got, r.Link("team0").Attrs().MTU)
	}
	if m, err := d.Mode(); m != ModeNone || err != nil {
		t.Errorf("a new device has mode %q, %v", m, err)
	}
	if _, err := r.kernel.Create("team0", CreateOptions{}); !errors.Is(err, unix.EEXIST) {
		t.Errorf("created twice: %v", err)
	}
	if _, err := r.kernel.Find("p0"); !errors.Is(err, ErrNotTeam) {
		t.Errorf("found a veth device: %v", err)
	}
	if _, err := r.kernel.Find("p7"); !errors.Is(err, unix.ENODEV) {
		t.Errorf("found nothing: %v", err)
	}
	if _, err := r.kernel.Find("a-name-that-is-long"); !errors.Is(err, unix.ENAMETOOLONG) {
		t.Errorf("a long name: %v", err)
	}
	over, err := r.kernel.Find("team0")
	must(t, err)
	if over.Index() != d.Index() {
		t.Errorf("took over %d instead of %d", over.Index(), d.Index())
	}
	if _, err := r.kernel.Options(r.Index("p0")); !errors.Is(err, ErrNotTeam) {
		t.Errorf("options of a veth device: %v", err)
	}
	must(t, over.Destroy())
	if r.Has("team0") {
		t.Error("destroyed and still there")
	}
}

func TestKernelPorts(t *testing.T) {
	r := newRig(t)
	d, p0, p1 := r.with(t, ModeRoundRobin)
	nstest.Eventually(t, patience, func() bool {
		ports, err := d.Ports()
		return err == nil && len(ports) == 2 && ports[0].Link && ports[1].Link && ports[0].Speed == 10000 && ports[0].FullDuplex
	}, "both ports with link and speed")
	if err := d.SetMode(ModeRandom); !errors.Is(err, unix.EBUSY) {
		t.Errorf("mode changed over ports: %v", err)
	}
	must(t, d.RemovePort(p1))
	ports, err := d.Ports()
	must(t, err)
	if len(ports) != 1 || ports[0].Index != p0 {
		t.Errorf("ports are %+v", ports)
	}
	r.SetUp("p1")
	if err := d.AddPort(p1); !errors.Is(err, unix.EBUSY) {
		t.Errorf("a port that is up joined: %v", err)
	}
	must(t, d.SetCarrier(false))
	must(t, d.SetCarrier(true))
}

func TestKernelOptionsOfEveryType(t *testing.T) {
	r := newRig(t)
	d, p0, p1 := r.with(t, ModeLoadBalance)
	program := []Instruction{{Code: 0x30, K: 5}, {Code: 0x16}}
	must(t, errors.Join(
		d.SetNotifyPeers(Burst{2, 50}), d.SetMcastRejoin(Burst{1, 20}),
		d.SetUserLinkup(p0, true), d.SetUserLinkupEnabled(p0, true),
		d.SetPriority(p0, -7), d.SetQueueID(p1, 3), d.SetHashFunction(program),
		d.SetTxMethod(MethodMapping), d.SetHashToPort(200, p1), d.SetStatsRefresh(10)))
	burst, err := d.NotifyPeers()
	check(t, burst, Burst{2, 50}, err)
	burst, err = d.McastRejoin()
	check(t, burst, Burst{1, 20}, err)
	up, counts, err := d.UserLinkup(p0)
	check(t, [2]bool{up, counts}, [2]bool{true, true}, err)
	prio, err := d.Priority(p0)
	check(t, prio, -7, err)
	queue, err := d.QueueID(p1)
	check(t, queue, 3, err)
	method, err := d.TxMethod()
	check(t, method, MethodMapping, err)
	refresh, err := d.StatsRefresh()
	check(t, refresh, 10, err)
	mapping, err := d.HashToPort()
	check(t, mapping[200], p1, err)
	check(t, mapping[199], 0, err)
	got, err := d.HashFunction()
	if err != nil || !slices.Equal(got, program) {
		t.Errorf("the program is %v, %v", got, err)
	}
	must(t, d.SetEnabled(p1, false))
	enabled, err := d.Enabled(p1)
	check(t, enabled, false, err)
	mapping, err = d.HashToPort()
	check(t, mapping[200], 0, err) // the driver clears what goes to a disabled port
	if err := d.SetHashToPort(1, p1); !errors.Is(err, unix.ENODEV) {
		t.Errorf("mapped to a disabled port: %v", err)
	}
	if err := d.Set(Key{Name: "no_such"}, U32Value(1)); !errors.Is(err, ErrNoOption) {
		t.Errorf("set an unknown option: %v", err)
	}
	if err := d.Set(Key{Name: OptTxMethod}, StringValue("other")); !errors.Is(err, unix.EINVAL) {
		t.Errorf("set an unknown method: %v", err)
	}
	must(t, d.SetHashFunction(nil))
	if got, err := d.HashFunction(); err != nil || len(got) != 0 {
		t.Errorf("a cleared program is %v, %v", got, err)
	}
	traffic, err := d.Traffic()
	must(t, err)
	if _, ok := traffic.Port[p0]; !ok {
		t.Errorf("no traffic of port %d: %v", p0, traffic.Port)
	}
}

func TestKernelActivePort(t *testing.T) {
	r := newRig(t)
	d, _, p1 := r.with(t, ModeActiveBackup)
	must(t, d.SetActivePort(p1))
	active, err := d.ActivePort()
	check(t, active, p1, err)
	if err := d.SetActivePort(0); !errors.Is(err, ErrNoOption) {
		t.Errorf("no active port was set: %v", err)
	}
	must(t, d.RemovePort(p1))
	active, err = d.ActivePort()
	check(t, active, 0, err)
}

// Two watchers and a reader that clears the driver's changed flag all the time.
func TestKernelWatchersDoNotConfuseEachOther(t *testing.T) {
	r := newRig(t)
	d, p0, _ := r.with(t, ModeLoadBalance)
	other := Use(r.kernel, "team0", d.Index())
	var watchers []*Watcher
	for _, dev := range []*Device{d, other} {
		var w *Watcher
		must(t, r.Run(func() (err error) { w, err = dev.Watch(); return err }))
		defer w.Close()
		if _, err := w.Next(); err != nil {
			t.Fatal(err)
		}
		watchers = append(watchers, w)
	}
	for round := range 10 {
		want := int32(round + 1)
		must(t, d.SetPriority(p0, want))
		if _, err := other.Options(); err != nil {
			t.Fatal(err)
		}
		for i, w := range watchers {
			awaitOption(t, w, On(OptPriority, p0), S32Value(want), i)
		}
	}
}

// awaitOption reads changes until the option has the value.
func awaitOption(t *testing.T, w *Watcher, k Key, v Value, who int) {
	t.Helper()
	for {
		c, err := w.Next()
		if err != nil {
			t.Fatalf("watcher %d: %v", who, err)
		}
		for _, o := range c.Options {
			if o.Key == k && o.Value == v {
				return
			}
		}
	}
}

// A subscription with a small buffer that nobody reads loses events, says so, and the
// watcher finds the last value nevertheless.
func TestKernelFullBufferIsReadAgain(t *testing.T) {
	r := newRig(t)
	d, p0, _ := r.with(t, ModeRoundRobin)
	w := &Watcher{device: d, options: map[Key]Value{}, ports: map[int]Port{}, stale: true}
	must(t, r.Run(func() error {
		s, err := r.kernel.subscribe(1)
		w.stream = s
		return err
	}))
	defer w.Close()
	if _, err := w.Next(); err != nil {
		t.Fatal(err)
	}
	for i := range 200 {
		must(t, d.SetPriority(p0, int32(i+1)))
	}
	lost := &counting{Subscription: w.stream}
	w.stream = lost
	awaitOption(t, w, On(OptPriority, p0), S32Value(200), 0)
	if lost.times == 0 {
		t.Error("the kernel lost no events; the test shows nothing")
	}
}

type counting struct {
	Subscription
	times int
}

func (c *counting) Next() (Change, error) {
	change, err := c.Subscription.Next()
	if errors.Is(err, ErrLost) {
		c.times++
	}
	return change, err
}

func TestKernelWatcherEnds(t *testing.T) {
	r := newRig(t)
	d := r.create(t, ModeRandom)
	var w *Watcher
	must(t, r.Run(func() (err error) { w, err = d.Watch(); return err }))
	if _, err := w.Next(); err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() { _, err := w.Next(); done <- err }()
	must(t, w.Close())
	if err := <-done; !errors.Is(err, ErrClosed) {
		t.Errorf("Next ended with %v", err)
	}
}

func check[T comparable](t *testing.T, got, want T, err error) {
	t.Helper()
	if err != nil || got != want {
		t.Errorf("got %v, %v; want %v", got, err, want)
	}
}
