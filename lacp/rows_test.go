package lacp_test

import (
	"flag"
	"fmt"
	"os"
	"testing"

	"github.com/yokelag/yoke/lacp"
)

// taken counts the rows over all tests of the package.
var taken = map[lacp.Row]uint64{}

// tally counts what a system took, at the end of a test.
func tally(t testing.TB, s *lacp.System) {
	t.Cleanup(func() {
		for _, r := range lacp.Rows() {
			taken[r] += s.Taken(r)
		}
	})
}

// TestMain fails where all tests together leave a row of the tables untaken.
func TestMain(m *testing.M) {
	flag.Parse()
	code := m.Run()
	if flag.Lookup("test.run").Value.String() == "" && flag.Lookup("test.skip").Value.String() == "" && code == 0 {
		for _, r := range lacp.Rows() {
			if i := r.Info(); taken[r] == 0 {
				fmt.Printf("no test took %s: %s, %s -> %s when %s (%s)\n", i.ID, i.Machine, i.From, i.To, i.When, i.Clause)
				code = 1
			}
		}
	}
	os.Exit(code)
}

func TestRowsAreNamedOnce(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range lacp.Rows() {
		i := r.Info()
		if i.ID == "" || i.Machine == "" || i.From == "" || i.To == "" || i.When == "" || i.Clause == "" {
			t.Errorf("row %d is incomplete: %+v", r, i)
		}
		if seen[i.ID] || r.String() != i.ID {
			t.Errorf("row %s is there twice", i.ID)
		}
		seen[i.ID] = true
	}
	if lacp.Row(255).Info() != (lacp.RowInfo{}) {
		t.Error("row 255 is none")
	}
}
