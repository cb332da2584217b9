package engine

import (
	"fmt"
	"strings"

	"github.com/yokelag/yoke/agg"
)

// findings are what an operator should know beside the ports' own state.
func findings(v View) []agg.Finding {
	var out []agg.Finding
	add := func(code, severity, text, remedy string) {
		out = append(out, agg.Finding{Code: code, Severity: severity, Text: text, Remedy: remedy})
	}
	if ok, _, detail := inForce(v); !ok || !v.Accepted {
		add("plan-not-in-force", "error", "the plan is not in force: "+detail, "it is applied again without being asked")
	}
	if !v.Config.Watching {
		add("not-watched", "warning", "the ports are not watched: failures will not be seen", "yoke set "+v.Spec.Name+" watch=carrier")
	}
	lacpFindings(v, add)
	for _, r := range v.Reasons {
		add(r.Code, choose(r.OK, "info", "warning"), r.Text, "")
	}
	for _, p := range v.Ports {
		if p.Lost > 0 {
			add("frames-lost", "error", fmt.Sprintf("%s: %d frames were given to the port and not counted by it, and the number grows", p.Link.Name, p.Lost), "")
		}
	}
	if v.SoftnetDrops > 0 {
		add("softnet-drops", "warning", fmt.Sprintf("the kernel dropped %d frames in full backlog queues just now", v.SoftnetDrops),
			"sysctl -w net.core.netdev_max_backlog=10000")
	}
	if len(v.Facts.ForeignFilters) > 0 {
		add("foreign-filters", "info", "others have tc programs beside ours: "+strings.Join(v.Facts.ForeignFilters, ", "), "")
	}
	for _, why := range v.Facts.Unreleased {
		add("port-not-released", "warning", "a port that left could not be given back as it was, and is tried again: "+why, "")
	}
	if name := v.Device.Name; name != "" && name != v.Spec.Name {
		add("device-renamed", "info", fmt.Sprintf("the device is named %s now; to commands and files the aggregate is %s as before", name, v.Spec.Name),
			fmt.Sprintf("ip link set %s name %s", name, v.Spec.Name))
	}
	if v.Observed && v.Facts.Device.Elsewhere && v.Config.FastPath {
		add("fast-path-off", "warning", "the device is in another network namespace; fast_path needs it in that of the ports", "")
	}
	for _, lack := range v.Capability.Lacks {
		add("plane-lacks", "info", lack, "")
	}
	if v.Repairs > 0 {
		add("repaired", "info", fmt.Sprintf("the plan was found changed and was repaired %s", count(int(v.Repairs), "time", "times")), "")
	}
	if v.SaveErr != nil {
		add("not-saved", "error", v.SaveErr.Error(), "")
	}
	return out
}
