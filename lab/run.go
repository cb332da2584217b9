package lab

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/yokelag/yoke/agg"
)

// Result is what a run measured.
type Result struct {
	// Version is 1.
	Version int    `json:"version"`
	Name    string `json:"name"`
	// OK: every expectation was met.
	OK      bool        `json:"ok"`
	Streams []Stream    `json:"streams"`
	Faults  []FaultTime `json:"faults"`
	Ports   []PortUse   `json:"ports"`
	Checks  []Check     `json:"checks"`
}

// PortUse are the frames that an interface of a host counted during a run.
type PortUse struct {
	Port string `json:"port"` // HOST:DEVICE
	Tx   uint64 `json:"tx"`
	Rx   uint64 `json:"rx"`
}

// settle is how long after the last frame a run waits for those under way.
const settle = 150 * time.Millisecond

// Run builds the lab of the file, runs its probes and faults, takes it down, and
// returns what was measured. Failed expectations are in the result, not in the error.
// When ctx ends, the lab is taken down at once.
func Run(ctx context.Context, file *File, o Options) (result *Result, err error) {
	l, err := Build(ctx, file, o)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	l.say("%s: %s", file.Name, file.Text)
	l.say("%s", l.Picture())
	streams, err := l.openStreams()
	if err != nil {
		return nil, err
	}
	defer func() {
		for _, s := range streams {
			s.finish()
		}
	}()
	return l.measure(ctx, streams)
}

// openStreams opens every probe and its path.
func (l *Lab) openStreams() ([]*stream, error) {
	var streams []*stream
	fail := func(err error) ([]*stream, error) {
		for _, s := range streams {
			s.finish()
		}
		return nil, err
	}
	for _, name := range sortedKeys(l.file.Probes) {
		s, err := l.openStream(name, l.file.Probes[name])
		if err != nil {
			return fail(err)
		}
		streams = append(streams, s)
	}
	for _, s := range streams {
		if err := s.open(patience); err != nil {
			return fail(err)
		}
	}
	return streams, nil
}

func (l *Lab) openStream(name string, p Probe) (*stream, error) {
	s, err := openStream(name, l.streams, p, l.hosts[p.From].space, l.hosts[p.To].space)
	if err != nil {
		return nil, err
	}
	l.streams++
	s.receive()
	return s, nil
}

func (l *Lab) measure(ctx context.Context, streams []*stream) (*Result, error) {
	before := l.portUse()
	l.say("probes run for %v", time.Duration(l.file.Duration))
	start := monotonic() + int64(50*time.Millisecond)
	var senders sync.WaitGroup
	for _, s := range streams {
		senders.Go(func() {
			s.run(start, int(float64(s.probe.Rate)*seconds(l.file.Duration)))
		})
	}
	faults, err := l.timeline(ctx, start)
	if err != nil {
		for _, s := range streams {
			s.stopSend.Store(true)
		}
	}
	senders.Wait()
	if err != nil {
		return nil, err
	}
	time.Sleep(settle)
	after := l.portUse()
	r := &Result{Version: 1, Name: l.file.Name, Faults: faults}
	for i := range after {
		r.Ports = append(r.Ports, after[i].since(before))
	}
	for _, s := range streams {
		s.finish()
		r.Streams = append(r.Streams, s.result(faults))
	}
	statuses, err := l.statuses(ctx)
	if err != nil {
		return nil, err
	}
	r.check(l.file.Expect, statuses)
	return r, nil
}

// seconds is a duration as a number.
func seconds(d Duration) float64 { return time.Duration(d).Seconds() }

// timeline causes the faults at their times and returns when the duration is over.
func (l *Lab) timeline(ctx context.Context, start int64) ([]FaultTime, error) {
	faults := slices.Clone(l.file.Faults)
	slices.SortStableFunc(faults, func(a, b Fault) int { return int(a.At - b.At) })
	var happened []FaultTime
	for _, f := range faults {
		if err := sleepContext(ctx, start+int64(f.At)); err != nil {
			return nil, err
		}
		t, err := l.Cause(ctx, f)
		if err != nil {
			return nil, err
		}
		happened = append(happened, t)
		l.say("%6.3f s  %s", time.Duration(f.At).Seconds(), t.Text)
		l.say("%s", l.Picture())
	}
	return happened, sleepContext(ctx, start+int64(l.file.Duration))
}

// sleepContext sleeps until at (CLOCK_MONOTONIC) or the end of ctx.
func sleepContext(ctx context.Context, at int64) error {
	t := time.NewTimer(time.Duration(at - monotonic()))
	defer t.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-t.C:
		return nil
	}
}

func (s *stream) result(faults []FaultTime) Stream {
	at := make([]int64, len(faults))
	for i, f := range faults {
		at[i] = f.Began
	}
	m := measure(s.sent, s.arrivals, s.probe, at)
	m.Name, m.From, m.To, m.Rate, m.Refused, m.Late = s.name, s.probe.From, s.probe.To, s.probe.Rate, s.refused, s.late
	return m
}

// portUse reads the counters of every host's cable ends, in order.
func (l *Lab) portUse() []PortUse {
	var out []PortUse
	for _, name := range sortedKeys(l.cables) {
		for _, e := range l.cables[name].ends {
			if e.sw != nil {
				continue
			}
			use := PortUse{Port: e.node + ":" + e.device}
			_ = e.space.do(func() error {
				c, err := readCounts(e.device)
				use.Tx, use.Rx = c.tx, c.rx
				return err // a device that was removed counts nothing
			})
			out = append(out, use)
		}
	}
	slices.SortFunc(out, func(a, b PortUse) int { return strings.Compare(a.Port, b.Port) })
	return out
}

// since subtracts the counters of the same port; a device that is new since then
// began at zero.
func (u PortUse) since(before []PortUse) PortUse {
	for _, b := range before {
		if b.Port == u.Port && b.Tx <= u.Tx && b.Rx <= u.Rx {
			u.Tx -= b.Tx
			u.Rx -= b.Rx
		}
	}
	return u
}

// Check is one expectation and whether it was met.
type Check struct {
	Text string `json:"text"`
	OK   bool   `json:"ok"`
	// Got is what was measured.
	Got string `json:"got"`
}

// statuses are what the daemons say of the aggregates of which something is expected, by
// HOST:NAME.
func (l *Lab) statuses(ctx context.Context) (map[string]agg.Status, error) {
	out := map[string]agg.Status{}
	for _, e := range l.file.Expect {
		if e.Aggregate == "" {
			continue
		}
		host, name, _ := strings.Cut(e.Aggregate, ":")
		s, err := l.Status(ctx, host, name)
		if err != nil {
			return nil, err
		}
		out[e.Aggregate] = s
	}
	return out, nil
}

func (r *Result) check(expect []Expectation, statuses map[string]agg.Status) {
	for _, e := range expect {
		switch {
		case e.Probe != "":
			r.checkStream(e)
		case e.Port != "":
			r.checkPort(e)
		default:
			r.checkAggregate(e, statuses[e.Aggregate])
		}
	}
	r.OK = !slices.ContainsFunc(r.Checks, func(c Check) bool { return !c.OK })
}

func (r *Result) add(ok bool, got, format string, args ...any) {
	r.Checks = append(r.Checks, Check{Text: fmt.Sprintf(format, args...), OK: ok, Got: got})
}

func (r *Result) checkStream(e Expectation) {
	i := slices.IndexFunc(r.Streams, func(s Stream) bool { return s.Name == e.Probe })
	s := r.Streams[i]
	most := func(limit *int, got int, what string) {
		if limit != nil {
			r.add(got <= *limit, fmt.Sprint(got), "%s: at most %d frames %s", e.Probe, *limit, what)
		}
	}
	most(e.Lost, s.Lost, "lost")
	most(e.Duplicates, s.Duplicates, "duplicated")
	most(e.Reordered, s.Reordered, "out of order")
	if e.LostMin != nil {
		r.add(s.Lost >= *e.LostMin, fmt.Sprint(s.Lost), "%s: at least %d frames lost", e.Probe, *e.LostMin)
	}
	if e.Failover != nil {
		worst, open := time.Duration(0), false
		for _, o := range s.Outages {
			worst, open = max(worst, o.Failover), open || o.Open
		}
		got := worst.String()
		if open {
			got = "not over"
		}
		r.add(!open && worst <= time.Duration(*e.Failover), got, "%s: failover within %v", e.Probe, time.Duration(*e.Failover))
	}
}

func (r *Result) checkAggregate(e Expectation, s agg.Status) {
	if e.Carrier != nil {
		r.add(s.Device.Carrier == *e.Carrier, fmt.Sprint(s.Device.Carrier), "%s: carrier %v", e.Aggregate, *e.Carrier)
	}
	if e.Carrying != nil {
		r.add(s.Carrying == *e.Carrying, fmt.Sprint(s.Carrying), "%s: %d ports carry", e.Aggregate, *e.Carrying)
	}
	if e.Reason != "" {
		var got []string
		ok := true
		for _, p := range s.Ports {
			if !p.Carrying {
				got = append(got, p.Name+" "+p.Reason)
				ok = ok && strings.HasPrefix(p.Reason, e.Reason)
			}
		}
		r.add(ok, strings.Join(got, ", "), "%s: the reason why a port does not carry is %s", e.Aggregate, e.Reason)
	}
}

func (r *Result) checkPort(e Expectation) {
	i := slices.IndexFunc(r.Ports, func(p PortUse) bool { return p.Port == e.Port })
	p := r.Ports[i]
	bound := func(limit *uint64, got uint64, least bool, what string) {
		if limit == nil {
			return
		}
		ok, word := got <= *limit, "at most"
		if least {
			ok, word = got >= *limit, "at least"
		}
		r.add(ok, fmt.Sprint(got), "%s: %s %d frames %s", e.Port, word, *limit, what)
	}
	bound(e.TxMin, p.Tx, true, "sent")
	bound(e.TxMax, p.Tx, false, "sent")
	bound(e.RxMin, p.Rx, true, "received")
	bound(e.RxMax, p.Rx, false, "received")
}
