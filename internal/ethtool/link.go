package ethtool

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// value is struct ethtool_value.
type value struct{ cmd, data uint32 }

// Link reads ETHTOOL_GLINK, which most drivers answer with their carrier flag and some
// by asking the PHY. Errors are the kernel's: EOPNOTSUPP where the driver does not
// answer, ENODEV where there is no such interface.
func (s *Socket) Link(name string) (bool, error) {
	v := value{cmd: unix.ETHTOOL_GLINK}
	err := s.ethtool(name, unsafe.Pointer(&v))
	return v.data != 0, err
}

const (
	regBMSR    = 1      // MII basic mode status register
	bmsrLinkUp = 1 << 2 // IEEE 802.3 clause 22.2.4.2.13
)

// miiRequest is struct ifreq with struct mii_ioctl_data in it.
type miiRequest struct {
	name                   [unix.IFNAMSIZ]byte
	phy, reg, valIn, value uint16
	_                      [16]byte
}

// MIILink reads the link bit of the PHY's status register by SIOCGMIIPHY and
// SIOCGMIIREG, with errors as Link.
func (s *Socket) MIILink(name string) (bool, error) {
	var r miiRequest
	if copy(r.name[:unix.IFNAMSIZ-1], name) < len(name) {
		return false, unix.ENODEV
	}
	if _, err := s.ioctl(unix.SIOCGMIIPHY, unsafe.Pointer(&r)); err != nil {
		return false, err
	}
	r.reg = regBMSR
	if _, err := s.ioctl(unix.SIOCGMIIREG, unsafe.Pointer(&r)); err != nil {
		return false, err
	}
	return r.value&bmsrLinkUp != 0, nil
}

// Settings are speed and duplex.
type Settings struct {
	// Speed is in Mb/s, 0 where the driver does not know it.
	Speed uint32
	// FullDuplex is false also where duplex is not known.
	FullDuplex bool
}

// maxMaskWords is the most 32-bit words of link modes that a kernel may want per mask;
// its count is a signed byte.
const maxMaskWords = 127

// linkSettings is struct ethtool_link_settings with room for the three masks.
type linkSettings struct {
	cmd, speed                                            uint32
	duplex, port, phy, autoneg, mdixSupport, mdix, mdixCt uint8
	maskWords                                             int8
	_                                                     [8]byte
	_                                                     [7]uint32
	masks                                                 [3 * maxMaskWords]uint32
}

const (
	unknownSpeed = 1<<32 - 1 // SPEED_UNKNOWN of linux/ethtool.h
	duplexFull   = 1         // DUPLEX_FULL
)

// Settings tells speed and duplex. Errors as Link.
func (s *Socket) Settings(name string) (Settings, error) {
	r, ok := s.room.Get().(*linkSettings)
	if !ok {
		r = new(linkSettings)
	}
	defer s.room.Put(r)
	if err := s.settings(name, r); err != nil {
		return Settings{}, err
	}
	out := Settings{Speed: r.speed, FullDuplex: r.duplex == duplexFull}
	if r.speed == unknownSpeed {
		out.Speed = 0
	}
	return out, nil
}

// SetSpeed sets the speed in Mb/s, with full duplex and without negotiation. Few virtual
// devices take it: tap does, veth does not. Errors as Link.
func (s *Socket) SetSpeed(name string, megabits uint32) error {
	r := new(linkSettings)
	if err := s.settings(name, r); err != nil {
		return err
	}
	r.cmd, r.speed, r.duplex, r.autoneg = unix.ETHTOOL_SLINKSETTINGS, megabits, duplexFull, 0
	return s.ethtool(name, unsafe.Pointer(r))
}

// settings reads ETHTOOL_GLINKSETTINGS into r. Who asks with another length of the masks than
// the kernel has is answered by that length, negated: it is learnt so once, and again where
// it should ever be another.
func (s *Socket) settings(name string, r *linkSettings) error {
	ask := func() error {
		*r = linkSettings{cmd: unix.ETHTOOL_GLINKSETTINGS, maskWords: int8(s.maskWords.Load())}
		return s.ethtool(name, unsafe.Pointer(r))
	}
	if err := ask(); err != nil || r.maskWords >= 0 {
		return err
	}
	s.maskWords.Store(-int32(r.maskWords))
	return ask()
}
