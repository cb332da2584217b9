package netspace_test

import (
	"errors"
	"net"
	"testing"

	"github.com/yokelag/yoke/internal/netspace"
	"github.com/yokelag/yoke/internal/nstest"
)

func TestDoInCurrentNamespaceNeedsNoPrivilege(t *testing.T) {
	s, err := netspace.Current()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	want := errors.New("passed through")
	if err := s.Do(func() error { return want }); !errors.Is(err, want) {
		t.Errorf("got %v", err)
	}
}

func TestDoEntersAndReturns(t *testing.T) {
	nstest.Require(t, "root")
	s, err := netspace.Create()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	home, err := netspace.Current()
	if err != nil {
		t.Fatal(err)
	}
	defer home.Close()
	err = s.Do(func() error {
		inside, err := netspace.Current()
		if err != nil {
			return err
		}
		defer inside.Close()
		if inside.ID() != s.ID() {
			t.Errorf("inside %v, want %v", inside.ID(), s.ID())
		}
		links, err := net.Interfaces()
		for _, l := range links {
			if l.Flags&net.FlagLoopback == 0 && l.Flags&net.FlagUp != 0 {
				t.Errorf("a fresh namespace has %s", l.Name)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	after, err := netspace.Current()
	if err != nil {
		t.Fatal(err)
	}
	defer after.Close()
	if after.ID() != home.ID() {
		t.Errorf("left in %v, came from %v", after.ID(), home.ID())
	}
}
