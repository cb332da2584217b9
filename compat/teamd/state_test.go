package teamd

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/yokelag/yoke/agg"
)

// dump is what a test needs of a state of teamd's own.
type dump struct {
	Ports map[string]struct {
		Ifinfo struct {
			Addr  agg.MAC `json:"dev_addr"`
			Index int     `json:"ifindex"`
		} `json:"ifinfo"`
		Link struct {
			Duplex string `json:"duplex"`
			Speed  uint32 `json:"speed"`
			Up     bool   `json:"up"`
		} `json:"link"`
		Watches struct {
			List map[string]struct {
				Down uint64 `json:"down_count"`
			} `json:"list"`
			Up bool `json:"up"`
		} `json:"link_watches"`
		Runner *struct {
			Actor      agg.LACPEnd `json:"actor_lacpdu_info"`
			Partner    agg.LACPEnd `json:"partner_lacpdu_info"`
			Aggregator struct {
				ID       uint16 `json:"id"`
				Selected bool   `json:"selected"`
			} `json:"aggregator"`
			Selected bool   `json:"selected"`
			State    string `json:"state"`
		} `json:"runner"`
	} `json:"ports"`
	Runner struct {
		Active string `json:"active_port"`
	} `json:"runner"`
	Setup struct {
		PID int `json:"pid"`
	} `json:"setup"`
	Device struct {
		Ifinfo struct {
			Addr  agg.MAC `json:"dev_addr"`
			Index int     `json:"ifindex"`
		} `json:"ifinfo"`
	} `json:"team_device"`
}

// statusOf is the status of an aggregate that is as teamd's was.
func statusOf(d dump, options agg.Settings) agg.Status {
	s := agg.Status{Name: "team0", Mode: options["mode"], Active: d.Runner.Active, Daemon: agg.DaemonStatus{PID: d.Setup.PID},
		Spec: agg.Spec{Name: "team0", Options: options}}
	s.Device.MAC, s.Device.Index = d.Device.Ifinfo.Addr, d.Device.Ifinfo.Index
	for _, name := range []string{"p0", "p1"} {
		q := d.Ports[name]
		p := agg.PortStatus{Name: name, Failures: q.Watches.List["link_watch_0"].Down, Gates: []agg.Gate{{Name: agg.GateWatch, OK: q.Watches.Up}}}
		p.Facts.LinkFacts = agg.LinkFacts{Name: name, Index: q.Ifinfo.Index, MAC: q.Ifinfo.Addr, Carrier: q.Link.Up, Speed: q.Link.Speed, FullDuplex: q.Link.Duplex == "full"}
		if r := q.Runner; r != nil {
			p.LACP = &agg.PortLACP{Aggregator: r.Aggregator.ID, Active: r.Aggregator.Selected, Selected: "SELECTED", Receive: strings.ToUpper(r.State), Actor: r.Actor, Partner: r.Partner}
		}
		s.Spec.Ports, s.Ports = append(s.Spec.Ports, agg.PortSpec{Name: name}), append(s.Ports, p)
	}
	return s
}

// The states in testdata are teamd's own, of two ports p0 and p1. But for where its pid
// is written and how much it logs ours are the same to the byte.
func TestTeamdsOwnState(t *testing.T) {
	for file, options := range map[string]agg.Settings{
		"activebackup":      {"mode": "active-backup"},
		"activebackup-down": {"mode": "active-backup"},
		"loadbalance":       {"mode": "balance-xor"},
		"roundrobin":        {"mode": "balance-rr"},
		"random":            {"mode": "random"},
		"broadcast":         {"mode": "broadcast"},
		"lacp-fast":         {"mode": "802.3ad", "lacp_rate": "fast", "ad_select": "lacp_prio"},
	} {
		text, err := os.ReadFile("testdata/" + file + ".json")
		if err != nil {
			t.Fatal(err)
		}
		var d dump
		if err := json.Unmarshal(text, &d); err != nil {
			t.Fatal(err)
		}
		want := strings.NewReplacer(`"debug_level": 1`, `"debug_level": 0`, `"/var/run/teamd/team0.pid"`, `""`).Replace(string(text))
		got, err := State(statusOf(d, options))
		if err != nil || strings.TrimSpace(string(got)) != strings.TrimSpace(want) {
			t.Errorf("%s: %v, got\n%s\nwant\n%s", file, err, got, want)
		}
	}
}

func TestStateWithoutPorts(t *testing.T) {
	got, err := State(agg.Status{Name: "team0", Mode: "active-backup", Spec: agg.Spec{Name: "team0"}})
	if err != nil || strings.Contains(string(got), `"ports"`) || !strings.Contains(string(got), `"active_port": ""`) {
		t.Errorf("%s, %v", got, err)
	}
}
