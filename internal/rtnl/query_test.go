package rtnl

import "testing"

// The poll asks some hundred times a second where there are many ports.
func TestQueryAllocatesTheNameOnly(t *testing.T) {
	q, err := newQuerier()
	if err != nil {
		t.Fatal(err)
	}
	defer q.close()
	n := testing.AllocsPerRun(100, func() {
		if s, present, err := q.link("lo"); err != nil || !present || s.name != "lo" {
			t.Fatalf("lo: %+v, %v, %v", s, present, err)
		}
	})
	if n > 1 {
		t.Errorf("a question for one link allocates %v times", n)
	}
}
