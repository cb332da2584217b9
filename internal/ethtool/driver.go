package ethtool

import (
	"bytes"
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// driverInfo is struct ethtool_drvinfo of linux/ethtool.h.
type driverInfo struct {
	command uint32
	driver  [32]byte
	_       [160]byte
}

// Driver is the name of the driver, as `ethtool -i` shows it. Errors as Link.
func (s *Socket) Driver(name string) (string, error) {
	info := driverInfo{command: unix.ETHTOOL_GDRVINFO}
	if err := s.ethtool(name, unsafe.Pointer(&info)); err != nil {
		return "", fmt.Errorf("driver of %s: %w", name, err)
	}
	text, _, _ := bytes.Cut(info.driver[:], []byte{0})
	return string(text), nil
}
