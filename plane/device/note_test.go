package device

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/yokelag/yoke/agg"
)

// What was noted is there for the next daemon, for the same device only.
func TestNote(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bond0.json")
	n, err := LoadNote[string](path, 7)
	if err != nil || n.Plan != nil {
		t.Fatalf("%+v, %v", n, err)
	}
	plan := agg.Plan{Generation: 3, Table: []agg.Choice{{First: 0}}, Ports: []agg.PlanPort{{Name: "p0"}}}
	n.Own = "x"
	if err := n.Follows(path, plan, true); err != nil {
		t.Fatal(err)
	}
	plan.Ports[0].Name = "other" // the note has its own
	again, err := LoadNote[string](path, 7)
	if err != nil || again.Own != "x" || again.Plan == nil || again.Noted().Ports[0].Name != "p0" || again.At != n.At {
		t.Errorf("%+v, %v", again, err)
	}
	if err := again.Follows(path, n.Noted(), false); err != nil || again.At != n.At {
		t.Errorf("the same plan was noted again at %v; %v", again.At, err)
	}
	if other, err := LoadNote[string](path, 8); err != nil || other.Plan != nil || other.Own != "" {
		t.Errorf("of another device: %+v, %v", other, err)
	}
	if err := os.WriteFile(path, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if broken, err := LoadNote[string](path, 7); err != nil || broken.Plan != nil {
		t.Errorf("broken: %+v, %v", broken, err)
	}
	if err := again.Forget(path); err != nil || again.Forget(path) != nil {
		t.Errorf("forget: %v", err)
	}
}
