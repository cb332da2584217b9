package daemon

import (
	"testing"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/control"
)

// Another name of an option, and a bare number, mean in a request what they mean in a file.
func TestRequestsMayUseOtherNamesOfOptions(t *testing.T) {
	r := newRig(t, "eth1", "eth2", "eth3")
	r.start()
	list, err := r.client.Up(t.Context(), agg.Spec{Name: "bond0", Options: agg.Settings{"runner": "lacp", "lacp_rate": "1", "miimon": "100"},
		Ports: []agg.PortSpec{{Name: "eth1", Options: agg.Settings{"delay_up": "7"}}}})
	if err != nil {
		t.Fatal(err)
	}
	got := list.Aggregates[0]
	if got.Mode != "802.3ad" || got.Spec.Options["mode"] != "802.3ad" || got.Spec.Options["lacp_rate"] != "fast" || got.Spec.Options["miimon"] != "100ms" || got.Spec.Ports[0].Options["updelay"] != "7ms" {
		t.Errorf("got mode %s, %v", got.Mode, got.Spec.Args())
	}
	list, err = r.client.Add(t.Context(), "bond0", []agg.PortSpec{{Name: "eth2", Options: agg.Settings{"delay_up": "9"}}})
	if err != nil || list.Aggregates[0].Spec.Ports[1].Options["updelay"] != "9ms" {
		t.Errorf("got %v, %v", list, err)
	}
	_, err = r.client.Up(t.Context(), agg.Spec{Name: "bond1", Options: agg.Settings{"runner": "lacp", "mode": "1"}, Ports: []agg.PortSpec{{Name: "eth3"}, {Name: "eth3"}}})
	refused(t, err, "duplicate-option")
	refused(t, err, "duplicate-port")
	_, err = r.client.Add(t.Context(), "bond0", []agg.PortSpec{{Name: "eth3", Options: agg.Settings{"delay": "9"}}})
	refused(t, err, "unknown-option")
	if !control.HasCode(err, "unknown-option") || len(r.status("bond0").Ports) != 2 {
		t.Errorf("got %v", err)
	}
}
