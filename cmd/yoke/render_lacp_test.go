package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/yokelag/yoke/agg"
)

func TestStatusShowsBothEndsOfEachPort(t *testing.T) {
	us, them := agg.MAC{2, 0, 0, 0, 0, 1}, agg.MAC{2, 0, 0, 0, 0, 2}
	s := agg.Status{Name: "bond0", Mode: "802.3ad", Capability: agg.Capability{Plane: "ebpf"},
		LACP: &agg.LACPStatus{System: us, SystemPriority: 65535, Key: 15, Ports: 1, Partner: them, PartnerPriority: 100, PartnerKey: 7},
		Ports: []agg.PortStatus{
			{Name: "eth1", Carrying: true, LACP: &agg.PortLACP{Number: 1, Receive: "CURRENT", Selected: "SELECTED", Mux: "DISTRIBUTING", Aggregator: 1, Active: true,
				ActorChurn: "NO_CHURN", PartnerChurn: "NO_CHURN", Actor: agg.LACPEnd{System: us, Port: 1, Words: "active,in-sync"},
				Partner:  agg.LACPEnd{System: them, Port: 9, Words: "active,collecting"},
				Counters: map[string]uint64{"rx_lacpdu": 4, "rx_loop": 0, "longest_gap_sent_ns": 1500000000}}},
			{Name: "eth2", LACP: &agg.PortLACP{Number: 2, Receive: "DEFAULTED", Selected: "UNSELECTED", Mux: "DETACHED", Actor: agg.LACPEnd{System: us, Port: 2}}},
		},
	}
	var out bytes.Buffer
	a := &app{out: &out, err: &out}
	if err := a.printStatus(s, true); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"lacp system 65535 02:00:00:00:00:01 key 15, partner 100 02:00:00:00:00:02 key 7 on 1 ports",
		"02:00:00:00:00:02 port 9: active,collecting", "DISTRIBUTING", "1 active",
		"eth1 lacp: churn actor NO_CHURN, partner NO_CHURN; rx_lacpdu 4, longest gap sent 1.5s",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
	if strings.Contains(out.String(), "rx_loop") {
		t.Errorf("a counter of zero is shown:\n%s", out.String())
	}
}
