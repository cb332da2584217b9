package policy

import (
	"errors"
	"strings"
	"testing"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/wire"
)

func xorPlan(tb testing.TB, m agg.HashMap, h agg.HashPolicy, names ...string) agg.Plan {
	tb.Helper()
	c := agg.Config{Name: "bond0", Mode: agg.BalanceXOR, HashMap: m, HashPolicy: h, MTU: 1500}
	var in Input
	for i, name := range names {
		c.Ports = append(c.Ports, agg.PortConfig{Name: name})
		in.Ports = append(in.Ports, PortInput{
			Link:  agg.LinkFacts{Name: name, Index: i + 2, Present: true, AdminUp: true, Carrier: true, Speed: 10000, FullDuplex: true},
			Watch: Verdict{State: Up},
		})
	}
	p, _, _ := Plan(c, in)
	return p
}

func flow(tb testing.TB, text string) wire.Flow {
	tb.Helper()
	f, err := wire.ParseFlow(text)
	if err != nil {
		tb.Fatal(err)
	}
	return f
}

func TestExplainSaysTheWholeWay(t *testing.T) {
	f := flow(t, "src=192.0.2.10,dst=198.51.100.7,sport=40000,dport=443")
	got := Explain(xorPlan(t, agg.Modulo, agg.HashLayer34, "eth1", "eth2", "eth3"), f.AppendTo(nil, nil), Tag{})
	if got.Port != "eth1" || got.Second != "eth2" || !strings.HasPrefix(got.Text, "leaves by eth1: layer3+4 hash 0x") {
		t.Errorf("got %+v", got)
	}
}

func TestExplainOfABucketThatMoves(t *testing.T) {
	f := flow(t, "src=192.0.2.10,dst=198.51.100.7,sport=40000,dport=443").AppendTo(nil, nil)
	p := xorPlan(t, agg.Buckets, agg.HashLayer34, "eth1", "eth2")
	before := Explain(p, f, Tag{})
	p.Table[before.Entry].Moves = true
	facts := agg.Facts{Published: &p, Buckets: make([]agg.BucketFacts, len(p.Table))}
	from, to := before.Port, before.Second
	got := Explain(facts.InUse(), f, Tag{})
	if end := "; moves to " + to + " when its traffic pauses, or " + from + " fails"; got.Port != from || !strings.HasSuffix(got.Text, end) {
		t.Errorf("got %+v", got)
	}
	facts.Buckets[before.Entry].Moved = true
	got = Explain(facts.InUse(), f, Tag{})
	if got.Port != to || got.Second != from || !strings.HasSuffix(got.Text, "; if that fails, by "+from) {
		t.Errorf("got %+v", got)
	}
	if !p.Table[before.Entry].Moves {
		t.Error("the plan itself was changed")
	}
}

func TestFindSourcePortReachesEveryPort(t *testing.T) {
	f := flow(t, "src=2001:db8::1,dst=2001:db8::2,proto=udp,dport=53")
	for _, m := range []agg.HashMap{agg.Buckets, agg.Modulo} {
		p := xorPlan(t, m, agg.HashLayer34, "eth1", "eth2", "eth3")
		for _, port := range []string{"eth1", "eth2", "eth3"} {
			n, err := FindSourcePort(p, f, Tag{}, port)
			if err != nil {
				t.Fatal(err)
			}
			f.SrcPort = n
			if got := Explain(p, f.AppendTo(nil, nil), Tag{}).Port; got != port {
				t.Errorf("source port %d leads to %s, not %s", n, got, port)
			}
		}
	}
}

func TestFindSourcePortSaysWhyNot(t *testing.T) {
	f := flow(t, "src=192.0.2.1,dst=192.0.2.2,proto=udp,sport=1,dport=53")
	p := xorPlan(t, agg.Modulo, agg.HashLayer2, "eth1", "eth2")
	carried := Explain(p, f.AppendTo(nil, nil), Tag{}).Port
	other := map[string]string{"eth1": "eth2", "eth2": "eth1"}[carried]
	if _, err := FindSourcePort(p, f, Tag{}, other); !errors.Is(err, ErrNoSourcePort) || !strings.Contains(err.Error(), "does not depend on it") {
		t.Errorf("got %v", err)
	}
	if _, err := FindSourcePort(p, f, Tag{}, "eth9"); err == nil || !strings.Contains(err.Error(), "not a port") {
		t.Errorf("got %v", err)
	}
}

func TestExplainOfModesThatDoNotHash(t *testing.T) {
	udp := flow(t, "src=192.0.2.1,dst=192.0.2.2,proto=udp,dport=1").AppendTo(nil, nil)
	igmp := flow(t, "src=192.0.2.1,dst=224.0.0.22,proto=2").AppendTo(nil, nil)
	for _, c := range []struct {
		mode  agg.Mode
		frame []byte
		want  string
	}{
		{agg.Broadcast, udp, "a copy leaves by each of eth1, eth2"},
		{agg.BalanceRR, udp, "no single answer: the selector round-robin does not look at the frame"},
		{agg.BalanceRR, igmp, "leaves by eth1: all frames of its kind do; if that fails, by eth2"},
		{agg.Random, igmp, "no single answer: the selector random does not look at the frame"},
	} {
		config := agg.Config{Mode: c.mode, PacketsPerSlave: 1}
		var in Input
		for i, name := range []string{"eth1", "eth2"} {
			config.Ports = append(config.Ports, agg.PortConfig{Name: name})
			in.Ports = append(in.Ports, PortInput{Link: agg.LinkFacts{Name: name, Index: i + 2, Present: true}, Watch: Verdict{State: Up}})
		}
		p, _, _ := Plan(config, in)
		if got := Explain(p, c.frame, Tag{}); got.Text != c.want {
			t.Errorf("%s: %q, want %q", c.mode, got.Text, c.want)
		}
	}
}
