package port

import (
	"errors"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/yokelag/yoke/internal/ethtool"
)

// fakeDevice is one with features, some of which it answers for with an error.
type fakeDevice struct {
	features map[string]ethtool.Feature
	answers  map[string]error
	set      []string
}

func (d *fakeDevice) Feature(_, feature string) (ethtool.Feature, error) {
	f, ok := d.features[feature]
	if !ok {
		return f, ethtool.ErrNoFeature
	}
	return f, nil
}

func (d *fakeDevice) SetFeature(name, feature string, on bool) error {
	d.set = append(d.set, name+" "+feature+" "+map[bool]string{true: "on", false: "off"}[on])
	return d.answers[feature]
}

// Filters that are on and can be switched are, both of them, and no others.
func TestVLANFilters(t *testing.T) {
	on, fixed, off := ethtool.Feature{Active: true, Changeable: true}, ethtool.Feature{Active: true}, ethtool.Feature{Changeable: true}
	for _, c := range []struct {
		name     string
		features map[string]ethtool.Feature
		set      []string
	}{
		{"none", nil, nil},
		{"802.1Q", map[string]ethtool.Feature{rxVLANFilter: on}, []string{"lan7 rx-vlan-filter off"}},
		{"802.1ad", map[string]ethtool.Feature{rxVLANFilter: off, rxSVLANFilter: on}, []string{"lan7 rx-vlan-stag-filter off"}},
		{"both", map[string]ethtool.Feature{rxVLANFilter: on, rxSVLANFilter: on}, []string{"lan7 rx-vlan-filter off", "lan7 rx-vlan-stag-filter off"}},
		{"fixed", map[string]ethtool.Feature{rxVLANFilter: fixed, rxSVLANFilter: fixed}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, r := &fakeDevice{features: c.features}, Record{Name: "eth1"}
			r.noteFilters(d)
			if len(r.Notes) != 0 {
				t.Errorf("notes: %v", r.Notes)
			}
			if refused, err := r.setFilters(d, "lan7", false); refused != nil || err != nil || !slices.Equal(d.set, c.set) {
				t.Errorf("%v; %v, %v", d.set, refused, err)
			}
		})
	}
}

// What a device does not do is told apart from what went wrong, and each filter is switched
// whatever became of the other.
func TestVLANFilterThatIsNotSwitched(t *testing.T) {
	d := &fakeDevice{answers: map[string]error{rxVLANFilter: ethtool.ErrNotTaken, rxSVLANFilter: unix.EIO}}
	r := Record{Name: "eth1", VLANFilter: true, SVLANFilter: true}
	refused, err := r.setFilters(d, "eth1", true)
	if !errors.Is(refused, ethtool.ErrNotTaken) || errors.Is(refused, unix.EIO) || !errors.Is(err, unix.EIO) || len(d.set) != 2 {
		t.Errorf("%v; %v, %v", d.set, refused, err)
	}
}
