package engine

import (
	"context"
	"errors"
	"fmt"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/lacp"
	"github.com/yokelag/yoke/policy"
	"github.com/yokelag/yoke/watch"
)

// View is everything that a status is made of. [Report] turns it into one.
type View struct {
	Now    agg.Instant
	Spec   agg.Spec
	Config agg.Config
	// Want is the plan that follows from the facts now. Published is the last one that
	// the plane accepted, where Accepted is set; Doubt says why it may not be in force.
	Want        agg.Plan
	Published   agg.Plan
	Accepted    bool
	PublishedAt agg.Instant
	Doubt       error
	// Facts are what the plane reports, FactsErr why it does not.
	Facts    agg.Facts
	FactsErr error
	// Device is the aggregate's own device as it was looked at last, in Facts or before.
	Device agg.DeviceFacts
	// Observed is set where Facts were read for this view.
	Observed   bool
	Active     string
	Ports      []PortView // in configured order
	Reasons    []policy.Reason
	Capability agg.Capability
	Repairs    uint64
	SaveErr    error
	Daemon     agg.DaemonStatus
	// SoftnetDrops is how much the kernel's count of frames dropped in a full backlog
	// has grown since the reading before.
	SoftnetDrops uint64
	// LACP is nil in other modes than 802.3ad.
	LACP *agg.LACPStatus
}

// PortView is one port's part of a View.
type PortView struct {
	Link     agg.LinkFacts
	Verdict  watch.Verdict
	Policy   policy.Reason
	Failures uint64
	Gates    map[string]GateState
	// LACP is the port in mode 802.3ad, and LACPGate what LACP says of it there.
	LACP     *lacp.PortView
	LACPGate *lacp.Gate
	// Unread are the frames of slow protocols that were lost because too many came.
	Unread uint64
	// Told is the port's LACP where a driver of the kernel runs that.
	Told *agg.PortLACP
	// Lost is the number of frames that the plane sent to the port and that the port's
	// own counter misses, where that number grows.
	Lost uint64
}

// view collects what is known now. facts are zero where nothing was observed.
func (e *Engine) view(facts agg.Facts, err error) View {
	p := &e.plane
	v := View{
		Now: e.w.Clock.Now(), Spec: e.spec.Clone(), Config: e.config,
		Want: e.want, Published: p.published, Accepted: p.have, PublishedAt: p.publishedAt,
		Facts: facts, FactsErr: err, Observed: facts.At != agg.Never || facts.Device.Present || facts.Published != nil,
		Active: e.policy.Carrying(), Capability: e.w.Plane.Capability(), Repairs: p.repairs, SaveErr: e.saver.lastError(),
		Daemon: agg.DaemonStatus{Running: true, PID: e.w.PID}, SoftnetDrops: e.softnet.grown,
	}
	v.Device = p.device
	if v.Observed {
		v.Device = facts.Device
	}
	if p.doubt {
		v.Doubt = p.lastErr
		if v.Doubt == nil {
			v.Doubt = errors.New("it was not applied yet")
		}
	}
	for _, c := range e.config.Ports {
		s := e.ports[c.Name]
		v.Ports = append(v.Ports, PortView{
			Link: e.link(c.Name), Verdict: s.verdict, Failures: s.failures, Gates: s.gates, Lost: s.lag.lost(),
		})
	}
	for i := range v.Ports {
		e.viewLACP(&v.Ports[i])
		e.viewDriven(&v.Ports[i])
	}
	v.LACP = e.lacpStatus()
	if e.driver() != nil {
		v.LACP = e.driven.facts.LACP
	}
	v.addReasons(e.reasons)
	return v
}

// addReasons gives each port its reason and keeps those of the whole aggregate.
func (v *View) addReasons(reasons []policy.Reason) {
	for _, r := range reasons {
		if r.Port == "" {
			v.Reasons = append(v.Reasons, r)
		}
		for i := range v.Ports {
			if v.Ports[i].Link.Name == r.Port {
				v.Ports[i].Policy = r
			}
		}
	}
}

func (e *Engine) link(name string) agg.LinkFacts {
	for _, l := range e.links {
		if l.Name == name {
			return l
		}
	}
	return agg.LinkFacts{Name: name}
}

// Inspect makes the status of an aggregate that no engine looks after, from saved
// state, the ports and the plane. It changes nothing. w needs Plane, Links and Clock.
func Inspect(ctx context.Context, w World, saved Saved) (agg.Status, error) {
	w.Store = discard{}
	e, err := New(saved.Spec, w, &saved)
	if err != nil {
		return agg.Status{}, err
	}
	e.takeOver(ctx)
	links, err := w.Links.Read(ctx, e.names())
	if err != nil {
		return agg.Status{}, fmt.Errorf("read the state of the ports of %s: %w", e.name, err)
	}
	e.decide(ctx, links)
	facts, err := e.observe(ctx)
	e.plane.doubt = false
	v := e.view(facts, err)
	v.Daemon = agg.DaemonStatus{Text: offlineText(v, saved)}
	return Report(v), nil
}

// discard is a Store that keeps nothing.
type discard struct{}

func (discard) Save(Saved) error { return nil }

func offlineText(v View, saved Saved) string {
	text := "no daemon"
	if saved.Stopped != agg.Never {
		text += " for " + ago(v.Now.Sub(saved.Stopped))
	} else if n := len(saved.Events); n > 0 { // it was killed: nobody wrote down when
		text += "; the last thing that one recorded was " + ago(v.Now.Sub(saved.Events[n-1].Time)) + " ago"
	}
	if v.Accepted {
		return fmt.Sprintf("%s; forwarding by plan %d", text, v.Published.Generation)
	}
	return text + "; nothing is forwarded"
}
