package port

import (
	"errors"
	"strings"
	"testing"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/nstest"
)

// A qdisc that was made goes with the port, also after a crash at any step; one that was
// there, or in which somebody has a filter, stays.
func TestClsactGoesWhereItWasMade(t *testing.T) {
	nstest.Require(t, "clsact", "program:tc")
	for _, c := range []struct {
		name          string
		before, while []string // tc ... dev eth1
		left          bool
	}{
		{"none", nil, nil, false},
		{"somebody's", []string{"qdisc", "add", "dev", "eth1", "clsact"}, nil, true},
		{"somebody in ours", nil, []string{"filter", "add", "dev", "eth1", "ingress", "bpf", "bytecode", "1,6 0 0 0"}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t)
			if c.before != nil {
				nstest.Command(t, b.NS, "tc", c.before...)
			}
			for steps, crashed := 0, true; crashed; steps++ {
				k := b.open()
				index, err := k.Take(t.Context(), "eth1", want)
				if err != nil {
					t.Fatal(err)
				}
				k.crash = crashAfter(steps)
				err = k.EnsureClsact(index)
				if crashed = errors.Is(err, errCrash); err != nil && !crashed {
					t.Fatal(err)
				}
				if !crashed && c.while != nil {
					nstest.Command(t, b.NS, "tc", c.while...)
				}
				if err := b.open().Release(t.Context(), "eth1"); err != nil {
					t.Fatal(err)
				}
				has := strings.Contains(nstest.Command(t, b.NS, "tc", "qdisc", "show", "dev", "eth1"), "clsact")
				if want := c.left && (!crashed || c.before != nil); has != want {
					t.Errorf("crash at step %d: %v, a clsact qdisc is left: %v", steps, crashed, has)
				}
			}
		})
	}
}

// Filters for both directions would land in the one list of an ingress qdisc. A plane that
// needs none takes such a port as it is.
func TestIngressQdiscIsRefused(t *testing.T) {
	nstest.Require(t, "clsact", "program:tc")
	b := newBench(t)
	nstest.Command(t, b.NS, "tc", "qdisc", "add", "dev", "eth1", "ingress")
	nstest.Command(t, b.NS, "tc", "filter", "add", "dev", "eth1", "ingress", "bpf", "bytecode", "1,6 0 0 0")
	filters := func() string {
		return nstest.Command(t, b.NS, "tc", "filter", "show", "dev", "eth1", "ingress") +
			nstest.Command(t, b.NS, "tc", "qdisc", "show", "dev", "eth1")
	}
	before, had := b.state(), filters()
	var p *agg.Problem
	k := b.open()
	index, err := k.Take(t.Context(), "eth1", want)
	if err != nil {
		t.Fatal(err)
	}
	if err := k.EnsureClsact(index); !errors.As(err, &p) || p.Code != "ingress-qdisc" {
		t.Errorf("got %v", err)
	}
	if err := k.Release(t.Context(), "eth1"); err != nil {
		t.Fatal(err)
	}
	k.NeedClsact()
	if err := k.Check("eth1"); !errors.As(err, &p) || p.Object != "eth1" || !strings.Contains(p.Remedy, "tc qdisc delete dev eth1 ingress") {
		t.Errorf("got %v", err)
	}
	if _, err := k.Take(t.Context(), "eth1", want); err == nil || len(k.Taken()) != 0 {
		t.Errorf("it was taken: %v", err)
	}
	b.becomes(before)
	if has := filters(); has != had {
		t.Errorf("before:\n%s\nnow:\n%s", had, has)
	}
}
