package daemon

import (
	"slices"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/control"
	"github.com/yokelag/yoke/policy"
)

// checkActive refuses to make a port active now that is none, or does not work, as the
// bonding driver does. A file may name such a port: it waits there until it works.
func checkActive(request control.SetRequest, now agg.Status, after agg.Spec) error {
	asked := slices.Contains(selecting(request), "active_slave")
	port := after.Options["active_slave"]
	mode := after.Config().Mode
	if o, _ := agg.Lookup("active_slave", agg.OfAggregate); !asked || port == "" || !o.ValidIn(mode) {
		return nil
	}
	problem := &agg.Problem{Code: "not-a-port", Object: after.Name, Option: "active_slave", Value: port, Rule: "there is no such port"}
	if after.Port(port) == agg.NoPort {
		problem.Remedy = "make it one with `yoke add " + after.Name + " " + port + "`"
		return problem
	}
	i := slices.IndexFunc(now.Ports, func(p agg.PortStatus) bool { return p.Name == port })
	if i < 0 || works(now.Ports[i]) {
		return nil
	}
	problem.Code, problem.Rule = "port-down", "the port does not work now: "+now.Ports[i].Text
	problem.Remedy = "`yoke set " + after.Name + " primary=" + port + "` makes it active when it does"
	return problem
}

// selecting lists the options of a request that name a port which becomes active each time
// that they are set. A file names such a port once: to read it again moves nothing.
func selecting(request control.SetRequest) []string {
	var out []string
	for key, value := range request.Set {
		if o, ok := agg.Lookup(key, agg.OfAggregate); ok && value != "" && policy.Selecting(o.Name) {
			out = append(out, o.Name)
		}
	}
	return out
}

// works reports whether the gates before the policy are open.
func works(p agg.PortStatus) bool {
	for _, g := range p.Gates {
		if g.Name == agg.GatePolicy {
			return true
		}
		if !g.OK {
			return false
		}
	}
	return true
}
