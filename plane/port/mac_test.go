package port

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

// An interface goes down for a new address only where that is what the driver asks for.
func TestAddressWhileUp(t *testing.T) {
	busy := fmt.Errorf("change interface 7: %w", unix.EBUSY)
	for _, c := range []struct {
		name    string
		up      bool
		answers []error
		steps   []string
		fails   bool
	}{
		{"taken", true, []error{nil}, []string{"set"}, false},
		{"only while down", true, []error{busy, nil}, []string{"set", "down", "set", "up"}, false},
		{"down already", false, []error{busy}, []string{"set"}, true},
		{"not even while down", true, []error{busy, busy}, []string{"set", "down", "set", "up"}, true},
		{"no address can be set", true, []error{unix.EOPNOTSUPP}, []string{"set"}, true},
		{"not trusted", true, []error{unix.EPERM}, []string{"set"}, true},
		{"no such address", true, []error{unix.EADDRNOTAVAIL}, []string{"set"}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			var steps []string
			err := evenWhileUp(c.up, func() error {
				steps = append(steps, "set")
				answer := c.answers[0]
				c.answers = c.answers[1:]
				return answer
			}, func(up bool) error {
				steps = append(steps, map[bool]string{true: "up", false: "down"}[up])
				return nil
			})
			if !slices.Equal(steps, c.steps) || (err != nil) != c.fails {
				t.Errorf("%v, %v", steps, err)
			}
		})
	}
	never := errors.New("not to be set down")
	if err := evenWhileUp(true, func() error { return busy }, func(bool) error { return never }); !errors.Is(err, never) || !errors.Is(err, unix.EBUSY) {
		t.Errorf("got %v", err)
	}
}
