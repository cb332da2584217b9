package nstest

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// WithoutDescriptors runs fn while the process can open no file or socket: what it asks
// the kernel for ends with EMFILE. No test may run beside it.
func WithoutDescriptors(fn func()) (err error) {
	var before unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &before); err != nil {
		return fmt.Errorf("read the limit of descriptors: %w", err)
	}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 0, Max: before.Max}); err != nil {
		return fmt.Errorf("forbid descriptors: %w", err)
	}
	defer func() { err = unix.Setrlimit(unix.RLIMIT_NOFILE, &before) }()
	fn()
	return nil
}
