package netspace

import (
	"errors"
	"net"
	"testing"

	"golang.org/x/sys/unix"
)

func TestDoInCurrentNamespaceNeedsNoPrivilege(t *testing.T) {
	s, err := Current()
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
	s, err := Create()
	if errors.Is(err, unix.EPERM) {
		t.Skip("missing privilege: root (CAP_SYS_ADMIN for a network namespace)")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	home, err := Current()
	if err != nil {
		t.Fatal(err)
	}
	defer home.Close()
	err = s.Do(func() error {
		inside, err := Current()
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
	after, err := Current()
	if err != nil {
		t.Fatal(err)
	}
	defer after.Close()
	if after.ID() != home.ID() {
		t.Errorf("left in %v, came from %v", after.ID(), home.ID())
	}
}
