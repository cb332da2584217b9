package ethtool

import (
	"errors"
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	// maxFeatures is more than any kernel has; the kernel says how many it has.
	maxFeatures   = 256
	featureBlocks = maxFeatures / 32
	stringLength  = 32 // ETH_GSTRING_LEN
	// stringSetFeatures is ETH_SS_FEATURES of linux/ethtool.h.
	stringSetFeatures = 4
)

// ErrNoFeature says that this kernel has no feature of the name.
var ErrNoFeature = fmt.Errorf("no such feature: %w", unix.EOPNOTSUPP)

// ErrNotTaken says that a device did not switch a feature although it took the request: it
// cannot be switched, or not as long as another feature is as it is.
var ErrNotTaken = errors.New("the device does not switch it")

// Feature is one offload or filter of a device.
type Feature struct {
	// Active: it is on. Changeable: it can be switched.
	Active, Changeable bool
}

// Feature reads one feature by ethtool's name, such as "rx-vlan-filter". Errors as
// Link, and ErrNoFeature.
func (s *Socket) Feature(name, feature string) (Feature, error) {
	i, _, err := s.featureIndex(name, feature)
	if err != nil {
		return Feature{}, err
	}
	var r struct {
		cmd, size uint32
		blocks    [featureBlocks]struct{ available, requested, active, neverChanged uint32 }
	}
	r.cmd, r.size = unix.ETHTOOL_GFEATURES, featureBlocks
	if err := s.ethtool(name, unsafe.Pointer(&r)); err != nil {
		return Feature{}, err
	}
	b, bit := r.blocks[i/32], uint32(1)<<(i%32)
	return Feature{Active: b.active&bit != 0, Changeable: b.available&^b.neverChanged&bit != 0}, nil
}

// SetFeature switches one feature on or off. Errors as Feature, and ErrNotTaken.
func (s *Socket) SetFeature(name, feature string, on bool) error {
	i, count, err := s.featureIndex(name, feature)
	if err != nil {
		return err
	}
	var r struct {
		cmd, size uint32
		blocks    [featureBlocks]struct{ valid, requested uint32 }
	}
	// The kernel wants exactly as many blocks as it has.
	r.cmd, r.size = unix.ETHTOOL_SFEATURES, uint32(count+31)/32
	bit := uint32(1) << (i % 32)
	r.blocks[i/32].valid = bit
	if on {
		r.blocks[i/32].requested = bit
	}
	// The kernel returns ETHTOOL_F_* of linux/ethtool.h where something was not done.
	left, err := s.answer(name, unsafe.Pointer(&r))
	if err == nil && left != 0 {
		err = ErrNotTaken
	}
	return err
}

// featureIndex finds the number of a feature, and how many there are.
func (s *Socket) featureIndex(name, feature string) (index, count int, err error) {
	s.names.mu.Lock()
	defer s.names.mu.Unlock()
	if s.names.numbers == nil {
		if s.names.numbers, err = s.featureNumbers(name); err != nil {
			return 0, 0, err
		}
	}
	index, known := s.names.numbers[feature]
	if !known {
		return 0, 0, ErrNoFeature
	}
	return index, len(s.names.numbers), nil
}

// featureNumbers asks for the numbers of all features, of any device.
func (s *Socket) featureNumbers(name string) (map[string]int, error) {
	var info struct {
		cmd, reserved uint32
		mask          uint64
		count         uint32
	}
	info.cmd, info.mask = unix.ETHTOOL_GSSET_INFO, 1<<stringSetFeatures
	if err := s.ethtool(name, unsafe.Pointer(&info)); err != nil {
		return nil, err
	}
	if info.mask == 0 || info.count > maxFeatures {
		return nil, ErrNoFeature
	}
	var r struct {
		cmd, set, length uint32
		names            [maxFeatures * stringLength]byte
	}
	r.cmd, r.set, r.length = unix.ETHTOOL_GSTRINGS, stringSetFeatures, info.count
	if err := s.ethtool(name, unsafe.Pointer(&r)); err != nil {
		return nil, err
	}
	out := map[string]int{}
	for i := range int(info.count) {
		feature := unix.ByteSliceToString(r.names[i*stringLength : (i+1)*stringLength])
		if feature == "" {
			feature = fmt.Sprint("number ", i) // one without a name counts too
		}
		out[feature] = i
	}
	return out, nil
}
