package daemon

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/control"
	"github.com/yokelag/yoke/policy"
	"github.com/yokelag/yoke/wire"
)

// explain answers by the plan that the plane reports, not by the one it was given.
func (s *server) explain(r *http.Request) (any, error) {
	request, err := read[control.ExplainRequest](r)
	if err != nil {
		return nil, err
	}
	a, err := s.registry.get(r.PathValue("name"))
	if err != nil {
		return nil, err
	}
	flow, err := wire.ParseFlow(request.Flow)
	if err != nil {
		return nil, &agg.Problem{Code: "invalid-flow", Option: "flow", Value: request.Flow, Rule: strings.TrimPrefix(err.Error(), "flow: "),
			Remedy: "`yoke explain " + a.name + " --flow src=192.0.2.1,dst=192.0.2.2,proto=udp,sport=5000,dport=53`"}
	}
	facts, err := a.engine.Facts(r.Context())
	if err != nil {
		return nil, err
	}
	if facts.Published == nil {
		return nil, &agg.Problem{Code: "no-plan", Object: a.name, Rule: "the plane reports no plan", Remedy: "`yoke status " + a.name + "` tells why"}
	}
	if flow.SrcMAC == [6]byte{} {
		flow.SrcMAC = facts.Device.MAC
	}
	return explanation(a.name, facts.InUse(), flow, request)
}

func explanation(name string, plan agg.Plan, flow wire.Flow, request control.ExplainRequest) (any, error) {
	text := ""
	if request.Reach != "" {
		port, err := policy.FindSourcePort(plan, flow, policy.Tag{}, request.Reach)
		if errors.Is(err, policy.ErrNoSourcePort) {
			return nil, &agg.Problem{Code: "unreachable", Object: name, Option: "reach", Value: request.Reach, Rule: err.Error(),
				Remedy: "with xmit_hash_policy=layer3+4 the source port counts; see which ports carry with `yoke status " + name + "`"}
		}
		if err != nil {
			return nil, err
		}
		flow.SrcPort = port
		request.Flow = withSourcePort(request.Flow, port)
		text = fmt.Sprintf("with source port %d the flow ", port)
	}
	path := policy.Explain(plan, flow.AppendTo(nil, nil), policy.Tag{})
	e := control.Explanation{
		Version: control.Version, Aggregate: name, Flow: request.Flow, Port: path.Port, Second: path.Second,
		Select: plan.Select.String(), Entry: path.Entry, Generation: plan.Generation,
		Text: text + path.Text + fmt.Sprintf(" (plan %d, read back from the plane)", plan.Generation),
	}
	if plan.Select == agg.SelectBuckets || plan.Select == agg.SelectModulo {
		e.Policy, e.Hash = plan.Hash.String(), fmt.Sprintf("0x%08x", path.Hash)
	}
	return e, nil
}

// withSourcePort returns the flow's text with another source port.
func withSourcePort(text string, port uint16) string {
	var out []string
	for word := range strings.SplitSeq(text, ",") {
		if !strings.HasPrefix(strings.TrimSpace(word), "sport=") {
			out = append(out, word)
		}
	}
	return strings.Join(append(out, fmt.Sprintf("sport=%d", port)), ",")
}
