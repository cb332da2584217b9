package port

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/yokelag/yoke/internal/ethtool"
	"github.com/yokelag/yoke/internal/iface"
)

// Names of the features that make a device drop frames of VLANs nobody registered with it:
// with 802.1Q tags, and with those of 802.1ad.
const (
	rxVLANFilter  = "rx-vlan-filter"
	rxSVLANFilter = "rx-vlan-stag-filter"
)

// switches reads and switches the features of a device by its name.
type switches interface {
	Feature(name, feature string) (ethtool.Feature, error)
	SetFeature(name, feature string, on bool) error
}

// noteVLANFilters notes which filters the device has on and can be told to switch off.
func (k *Keeper) noteVLANFilters(r *Record) {
	s, err := ethtool.OpenWith(&k.features)
	if err != nil {
		r.Notes = append(r.Notes, err.Error())
		return
	}
	defer s.Close()
	r.noteFilters(s)
}

func (r *Record) noteFilters(s switches) {
	for _, f := range []struct {
		feature string
		on      *bool
	}{{rxVLANFilter, &r.VLANFilter}, {rxSVLANFilter, &r.SVLANFilter}} {
		now, err := s.Feature(r.Name, f.feature)
		*f.on = err == nil && now.Active && now.Changeable
		if err != nil && !errors.Is(err, unix.EOPNOTSUPP) {
			r.Notes = append(r.Notes, fmt.Sprintf("read %s of %s: %v", f.feature, r.Name, err))
		}
	}
}

// setVLANFilters switches the filters that a take found on. A device that does not do so is
// noted: it carries everything but VLANs.
func (k *Keeper) setVLANFilters(r Record, on bool) error {
	if !r.VLANFilter && !r.SVLANFilter {
		return nil
	}
	l, err := iface.ByIndex(r.Index, iface.Here)
	if err != nil {
		return err
	}
	s, err := ethtool.OpenWith(&k.features)
	if err != nil {
		return err
	}
	defer s.Close()
	refused, err := r.setFilters(s, l.Name, on)
	if refused != nil {
		k.note(r.Index, refused)
	}
	return err
}

// setFilters returns apart what a device did not do although it took the request: to ask
// again would not help.
func (r Record) setFilters(s switches, name string, on bool) (refused, err error) {
	for _, f := range []struct {
		feature string
		was     bool
	}{{rxVLANFilter, r.VLANFilter}, {rxSVLANFilter, r.SVLANFilter}} {
		if !f.was {
			continue
		}
		failed := s.SetFeature(name, f.feature, on)
		if failed == nil {
			continue
		}
		text := fmt.Errorf("switch %s of %s: %w", f.feature, name, failed)
		if errors.Is(failed, ethtool.ErrNotTaken) {
			refused = errors.Join(refused, text)
		} else {
			err = errors.Join(err, text)
		}
	}
	return refused, err
}
