package ebpf

import (
	"errors"
	"testing"

	"golang.org/x/sys/unix"
)

// Where nobody could look, a filter may still be there.
func TestDetachThatCannotLookIsNotDone(t *testing.T) {
	var before unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &before); err != nil {
		t.Fatal(err)
	}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 0, Max: before.Max}); err != nil {
		t.Fatal(err)
	}
	err := filters{}.detach(rxHook(0, 1))
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &before); err != nil {
		t.Fatal(err)
	}
	if !errors.Is(err, unix.EMFILE) {
		t.Errorf("got %v", err)
	}
	for what, index := range map[string]int{"no clsact": 1, "no interface": 1 << 30} {
		if err := (filters{}).detach(rxHook(0, index)); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
}
