package afpacket

import (
	"errors"
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/yokelag/yoke/internal/iface"
)

// slowGroup is the address that LACPDUs go to (802.3 annex 57A).
var slowGroup = [6]byte{1, 0x80, 0xc2, 0, 0, 2} //nolint:gochecknoglobals // a constant

// join has an interface receive the group address as `ip maddr add` does: unlike the
// membership of a packet socket it outlives the process. Where it is joined already
// nothing changes. A device without a filter refuses, and receives everything.
func join(index int) error {
	err := changeGroup(unix.SIOCADDMULTI, index)
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.EOPNOTSUPP) {
		return nil
	}
	return err
}

// Leave ends what [Ear.Hear] began on an interface. One that is gone, or did not join, is
// no error.
func (s *Slow) Leave(index int) error {
	return s.space.Do(func() error {
		err := changeGroup(unix.SIOCDELMULTI, index)
		if err == nil || iface.IsAbsent(err) || errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENODEV) ||
			errors.Is(err, unix.EINVAL) || errors.Is(err, unix.EOPNOTSUPP) {
			return nil
		}
		return err
	})
}

// groupRequest is struct ifreq with a hardware address (linux/if.h).
type groupRequest struct {
	name    [unix.IFNAMSIZ]byte
	family  uint16
	address [14]byte
	_       [8]byte
}

func changeGroup(request uintptr, index int) error {
	l, err := iface.ByIndex(index, iface.Here)
	if err != nil {
		return err
	}
	fd, err := packetSocket(0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	r := groupRequest{family: unix.AF_UNSPEC}
	copy(r.name[:unix.IFNAMSIZ-1], l.Name)
	copy(r.address[:], slowGroup[:])
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), request, uintptr(unsafe.Pointer(&r))); errno != 0 {
		return fmt.Errorf("group address of slow protocols on %s: %w", l.Name, errno)
	}
	return nil
}
