package teamd

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/yokelag/yoke/agg"
)

// object is a JSON object; its keys are sorted when it is written, as teamd's are.
type object = map[string]any

// State is the text of `teamdctl NAME state dump`. What Yoke has no such thing of is as in
// a teamd without it: there is no file with a pid, no D-Bus and no ZeroMQ.
func State(s agg.Status) ([]byte, error) {
	runner := runnerOf(s)
	out := object{
		"setup": object{
			"daemonized": s.Daemon.Running, "dbus_enabled": false, "debug_level": 0, "kernel_team_mode_name": kernelMode(runner),
			"pid": s.Daemon.PID, "pid_file": "", "runner_name": runner, "zmq_enabled": false,
		},
		"team_device": object{"ifinfo": ifinfo(s.Device.MAC, s.Device.Index, deviceName(s))},
	}
	if len(s.Ports) > 0 {
		ports := object{}
		for _, p := range s.Ports {
			ports[p.Name] = portState(s, p)
		}
		out["ports"] = ports
	}
	switch c := s.Spec.Config(); c.Mode {
	case agg.ActiveBackup:
		out["runner"] = object{"active_port": s.Active}
	case agg.LACP:
		out["runner"] = object{"active": c.LACP.Active, "fast_rate": c.LACP.Fast, "select_policy": selectPolicy(c.LACP.Select), "sys_prio": int(c.LACP.SystemPriority)}
	default: // teamd has no state of other runners
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetIndent("", "    ")
	enc.SetEscapeHTML(false)
	if err := enc.Encode(out); err != nil {
		return nil, fmt.Errorf("write the state of %s: %w", s.Name, err)
	}
	return b.Bytes(), nil
}

func deviceName(s agg.Status) string {
	if s.Device.Name != "" {
		return s.Device.Name
	}
	return s.Name
}

func ifinfo(mac agg.MAC, index int, name string) object {
	return object{"dev_addr": mac.String(), "dev_addr_len": len(mac), "ifindex": index, "ifname": name}
}

// runnerOf is teamd's name of the mode, or ours where it has none.
func runnerOf(s agg.Status) string {
	o, _ := agg.Lookup("mode", agg.OfAggregate)
	for _, v := range o.Values {
		if v.Text == s.Mode && len(v.Aliases) > 0 {
			return v.Aliases[0]
		}
	}
	return s.Mode
}

// kernelMode is the driver's mode that teamd has for a runner.
func kernelMode(runner string) string {
	if slices.Contains([]string{"activebackup", "roundrobin", "broadcast", "random"}, runner) {
		return runner
	}
	return "loadbalance"
}

// selectPolicy is teamd's word where it has one for what we do.
func selectPolicy(word string) string {
	if word == "stable" {
		return "lacp_prio_stable"
	}
	return word
}

func portState(s agg.Status, p agg.PortStatus) object {
	up, c := watched(p), s.Spec.Config()
	delays, _ := c.PortConfig(p.Name)
	watch := object{
		"delay_down": delays.DownDelay.Milliseconds(), "delay_up": delays.UpDelay.Milliseconds(),
		"down_count": p.Failures, "name": "ethtool", "up": up,
	}
	out := object{
		"ifinfo":       ifinfo(p.Facts.MAC, p.Facts.Index, p.Name),
		"link":         linkState(p.Facts.LinkFacts),
		"link_watches": object{"list": object{"link_watch_0": watch}, "up": up},
	}
	if l := p.LACP; l != nil {
		out["runner"] = object{
			"actor_lacpdu_info": end(l.Actor), "partner_lacpdu_info": end(l.Partner),
			"aggregator": object{"id": int(l.Aggregator), "selected": l.Active},
			"key":        int(l.Actor.Key), "prio": int(l.Actor.PortPriority),
			"selected": l.Selected == "SELECTED", "state": strings.TrimPrefix(strings.ToLower(l.Receive), "port_"),
		}
	}
	return out
}

// watched reports whether the port's watches say that it works.
func watched(p agg.PortStatus) bool {
	i := slices.IndexFunc(p.Gates, func(g agg.Gate) bool { return g.Name == agg.GateWatch })
	return i >= 0 && p.Gates[i].OK
}

// linkState is as the team driver tells it: nothing of speed while the link is down, and the
// kernel's words for unknown, which are -1 and not half.
func linkState(l agg.LinkFacts) object {
	speed, duplex := int64(l.Speed), "half"
	switch {
	case !l.Carrier:
		speed = 0
	case l.Speed == 0:
		speed, duplex = -1, "full"
	case l.FullDuplex:
		duplex = "full"
	}
	return object{"duplex": duplex, "speed": speed, "up": l.Carrier}
}

func end(e agg.LACPEnd) object {
	return object{
		"key": int(e.Key), "port": int(e.Port), "port_priority": int(e.PortPriority), "state": int(e.State),
		"system": e.System.String(), "system_priority": int(e.SystemPriority),
	}
}
