package iface

import (
	"errors"
	"testing"

	"github.com/yokelag/yoke/internal/nstest"
)

// countingKinds counts how often the kernel is asked.
func countingKinds(t *testing.T) (k *Kinds, asked *int) {
	k, err := WatchKinds("vlan")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = k.Close() })
	asked = new(int)
	k.list = func(...string) ([]Link, error) {
		*asked++
		return nil, nil
	}
	return k, asked
}

// The kernel walks over all interfaces once, and not for each that comes.
func TestKindsAreAskedForOnce(t *testing.T) {
	nstest.Require(t, "root", "veth")
	near, far := nstest.New(t), nstest.New(t)
	near.Do(func() {
		k, asked := countingKinds(t)
		for _, name := range []string{"eth0", "eth1", "eth2"} {
			near.Veth(name, far, name)
			if _, err := k.List(); err != nil {
				t.Fatal(err)
			}
		}
		if *asked != 1 {
			t.Errorf("asked %d times", *asked)
		}
	})
}

// After an error, and while one stands on what is elsewhere, each List asks.
func TestKindsAreNotKept(t *testing.T) {
	for name, answer := range map[string]func(...string) ([]Link, error){
		"an error":        func(...string) ([]Link, error) { return nil, errors.New("no") },
		"lower elsewhere": func(...string) ([]Link, error) { return []Link{{}}, nil }, // nsid 0
	} {
		k, _ := countingKinds(t)
		asked := 0
		k.list = func(kinds ...string) ([]Link, error) {
			asked++
			return answer(kinds...)
		}
		for range 3 {
			_, _ = k.List() // the error is the answer's
		}
		if asked != 3 {
			t.Errorf("%s: asked %d times of 3", name, asked)
		}
	}
}
