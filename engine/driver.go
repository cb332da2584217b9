package engine

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/lacp"
	"github.com/yokelag/yoke/policy"
	"github.com/yokelag/yoke/watch"
)

// driverLook is how soon the driver is asked again while it has not seen a carrier yet
// that the kernel has, or has lost.
const driverLook = 20 * time.Millisecond

// driven is what is known of a driver that runs the mode by itself.
type driven struct {
	facts agg.DriverFacts
	// told is the spec that was put in force last, zero before the first.
	told agg.Spec
	// again are the options of a change in progress that were set again.
	again []string
	// lookAt is when it is asked again.
	lookAt agg.Instant
}

// driver is the plane where it runs the mode by itself, nil elsewhere.
func (e *Engine) driver() Driver {
	if d, ok := e.w.Plane.(Driver); ok && d.Capability().RunsModes {
		return d
	}
	return nil
}

// decideDriven takes from the driver what the machines decide on other planes. While it
// does not answer, what was decided before holds.
func (e *Engine) decideDriven(ctx context.Context, d Driver, links []agg.LinkFacts) {
	facts, err := d.Driver(ctx)
	e.links = links
	now := e.w.Clock.Now()
	e.driven.lookAt = agg.Never
	if err != nil {
		e.driven.lookAt = now.Add(e.verifyPeriod())
		return
	}
	e.driven.facts = facts
	in := policy.Input{Previous: e.policy, Now: now, Carrier: facts.Carrier}
	for _, l := range links {
		p, _ := facts.Port(l.Name)
		e.ports[l.Name].verdict = drivenVerdict(e.ports[l.Name].verdict, p, l, now)
		in.Ports = append(in.Ports, policy.PortInput{Link: l, Watch: policyVerdict(e.ports[l.Name].verdict), LACP: policy.Agreement{
			Receives: p.Receives, Sends: p.Sends, Reason: p.Reason, Detail: p.Detail,
		}})
		if l.Present && p.Name != "" && l.Carrier != p.Link.Works() {
			e.driven.lookAt = now.Add(driverLook)
		}
	}
	e.want, e.policy, e.reasons = policy.Driven(e.config, in, facts.Active)
}

// drivenVerdict is the driver's view of a port's link, since when it is so.
func drivenVerdict(was watch.Verdict, p agg.DriverPort, l agg.LinkFacts, now agg.Instant) watch.Verdict {
	v := watch.Verdict{Since: now, Phase: watch.Down, Reason: "driver-down", Detail: "down by the driver's own watch"}
	switch {
	case !l.Present:
		v.Reason, v.Detail = watch.ReasonAbsent, "there is no such interface"
	case p.Name == "":
		v.Reason, v.Detail = "not-joined", "is no port of the driver's device"
	case p.Link == agg.DriverUp:
		v.Phase, v.Reason, v.Detail = watch.Up, watch.ReasonLinkUp, "up by the driver's own watch"
	case p.Link == agg.DriverFalls:
		v.Phase, v.Reason, v.Detail = watch.Falling, watch.ReasonDownDelay, "going down by the driver's own watch"
	case p.Link == agg.DriverRises:
		v.Phase, v.Reason, v.Detail = watch.Rising, watch.ReasonUpDelay, "going back up by the driver's own watch"
	case !l.Carrier:
		v.Reason, v.Detail = watch.ReasonNoCarrier, "no carrier"
	}
	if was.Phase == v.Phase {
		v.Since = was.Since
	}
	return v
}

// untold reports whether the driver has to be told another spec.
func (e *Engine) untold() bool {
	return e.driver() != nil && (len(e.driven.again) > 0 || !sameSpec(e.spec, e.driven.told))
}

// configure has the driver know what is wanted, before a plan.
func (e *Engine) configure() error {
	d := e.driver()
	if d == nil {
		return nil
	}
	if err := d.Configure(e.spec, e.driven.again); err != nil {
		return fmt.Errorf("configure %s: %w", e.name, err)
	}
	return nil
}

func sameSpec(a, b agg.Spec) bool {
	return a.Name == b.Name && maps.Equal(a.Options, b.Options) && slices.EqualFunc(a.Ports, b.Ports, func(p, q agg.PortSpec) bool {
		return p.Name == q.Name && maps.Equal(p.Options, q.Options)
	})
}

// viewDriven adds what the driver says to a port's part of a view.
func (e *Engine) viewDriven(p *PortView) {
	says, ok := e.driven.facts.Port(p.Link.Name)
	if !ok || e.config.Mode != agg.LACP {
		return
	}
	p.Told = says.LACP
	p.LACPGate = &lacp.Gate{OK: says.Sends, Reason: lacp.Reason(says.Reason), Detail: says.Detail}
}
