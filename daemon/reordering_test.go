package daemon

import (
	"slices"
	"strings"
	"testing"

	"github.com/yokelag/yoke/agg"
)

// reorderingWorld is one in which somebody has set how much TCP bears.
type reorderingWorld struct {
	world
	n int
}

func (w reorderingWorld) TCPReordering(string) (int, error) { return w.n, nil }

func TestReorderingIsSaidWithTheSetting(t *testing.T) {
	r := newRig(t, "eth1", "eth2")
	r.start()
	if s := r.mustUp("bond0", "eth1", "eth2"); hasFinding(s, "reorder") || s.Plan.Reorder {
		t.Errorf("active-backup reorders: %+v", s.Findings)
	}
	if _, err := r.client.Down(t.Context(), "bond0"); err != nil {
		t.Fatal(err)
	}
	s := r.mustUp("bond0", "mode=balance-rr", "eth1", "eth2")
	for n, want := range map[int]agg.Finding{
		3:   {Severity: "warning", Text: "tcp_reordering is 3 here, the kernel's default", Remedy: "sysctl -w net.ipv4.tcp_reordering=127"},
		127: {Severity: "info", Text: "tcp_reordering is 127 here"},
	} {
		a := s
		a.Findings = []agg.Finding{{Code: "reorder", Severity: "info", Text: "frames may arrive in another order"}}
		got := adviseReordering(reorderingWorld{n: n}, a)[0]
		if got.Severity != want.Severity || !strings.Contains(got.Text, want.Text) || got.Remedy != want.Remedy {
			t.Errorf("%d: got %+v", n, got)
		}
	}
	i := slices.IndexFunc(s.Findings, func(f agg.Finding) bool { return f.Code == "reorder" })
	if i < 0 || s.Findings[i].Remedy == "" || !s.Plan.Reorder {
		t.Errorf("status says %+v", s.Findings)
	}
}
