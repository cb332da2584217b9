package team

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// Causes that are not the kernel's numbers.
var (
	// ErrNoDriver: the kernel has no team driver, or its module could not be loaded.
	ErrNoDriver = errors.New("this kernel has no team driver")
	// ErrNotTeam: the interface is there and is no team device.
	ErrNotTeam = errors.New("not a team device")
	// ErrNoOption: the device has no such option in its mode and with its ports.
	ErrNoOption = errors.New("no such option")
	// ErrLost: events were lost because nobody read them in time.
	ErrLost = errors.New("events were lost")
	// ErrClosed: the connection or subscription was closed.
	ErrClosed = errors.New("closed")
)

// Error is a failed operation.
type Error struct {
	// Op is what was done, as "set option mode".
	Op string
	// Device is the name or ifindex of the device, or of the port where one was concerned.
	Device string
	// Err is the cause: an errno with the kernel's own message where it gave one, or one
	// of this package's causes.
	Err error
}

// Error writes operation, device and cause.
func (e *Error) Error() string { return fmt.Sprintf("%s of %s: %v", e.Op, e.Device, e.Err) }

// Unwrap is the cause.
func (e *Error) Unwrap() error { return e.Err }

func failed(op, device string, err error) error {
	if err == nil {
		return nil
	}
	return &Error{op, device, err}
}

// optionError is failed for an option; ENOENT there is the option's, since the device
// was found before.
func optionError(op, device string, err error) error {
	if errors.Is(err, unix.ENOENT) {
		err = fmt.Errorf("%w (%w)", ErrNoOption, err)
	}
	return failed(op, device, err)
}
