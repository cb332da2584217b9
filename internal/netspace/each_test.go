package netspace

import "testing"

// Every namespace comes once, however many processes are in it, and ours is among them.
func TestEach(t *testing.T) {
	here, err := Current()
	if err != nil {
		t.Fatal(err)
	}
	defer here.Close()
	seen := map[ID]int{}
	if err := Each(func(s *Space, _ string) bool { seen[s.ID()]++; return false }); err != nil {
		t.Fatal(err)
	}
	if seen[here.ID()] != 1 {
		t.Errorf("ours came %d times", seen[here.ID()])
	}
	for id, times := range seen {
		if times != 1 {
			t.Errorf("%v came %d times", id, times)
		}
	}
}
