package port

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/yokelag/yoke/internal/ethtool"
	"github.com/yokelag/yoke/internal/iface"
)

// rxVLANFilter is the name of the feature that makes a device drop frames of VLANs
// nobody registered with it.
const rxVLANFilter = "rx-vlan-filter"

// vlanFilter reports whether the device filters VLANs and can be told not to.
func vlanFilter(name string) (bool, error) {
	s, err := ethtool.Open()
	if err != nil {
		return false, err
	}
	defer s.Close()
	f, err := s.Feature(name, rxVLANFilter)
	if errors.Is(err, unix.EOPNOTSUPP) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read %s of %s: %w", rxVLANFilter, name, err)
	}
	return f.Active && f.Changeable, nil
}

// setVLANFilter switches the filter, where a take found it on.
func setVLANFilter(r Record, on bool) error {
	if !r.VLANFilter {
		return nil
	}
	l, err := iface.ByIndex(r.Index, iface.Here)
	if err != nil {
		return err
	}
	s, err := ethtool.Open()
	if err != nil {
		return err
	}
	defer s.Close()
	if err := s.SetFeature(l.Name, rxVLANFilter, on); err != nil {
		return fmt.Errorf("switch %s of %s: %w", rxVLANFilter, l.Name, err)
	}
	return nil
}
