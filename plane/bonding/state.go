package bonding

import (
	"encoding/binary"
	"slices"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"github.com/yokelag/yoke/agg"
)

// State is what a bond is and does now.
type State struct {
	Name    string
	Index   int
	Up      bool
	Carrier bool
	// Queued: the kernel's queue of the device has followed its carrier, which a work queue
	// sees to. Before, it drops what is sent.
	Queued bool
	MAC    agg.MAC
	MTU    int
	// Options are the attributes that the kernel reports, and those that are unset.
	Options Values
	// Aggregator is the active one in mode 802.3ad, zero elsewhere.
	Aggregator Aggregator
	Ports      []Port
}

// Aggregator is what IFLA_BOND_AD_INFO says.
type Aggregator struct {
	ID, Ports, ActorKey, PartnerKey uint16
	Partner                         agg.MAC
}

// Port is one port of a bond.
type Port struct {
	Name    string
	Index   int
	Up      bool
	Carrier bool
	Queued  bool
	MAC     agg.MAC
	// Active: not a backup. Link is the driver's view: "up", "going down", "down",
	// "going back".
	Active       bool
	Link         string
	Failures     uint32
	PermanentMAC agg.MAC
	// AggregatorID, ActorState and PartnerState (the octets of 802.1AX) are of mode
	// 802.3ad, zero elsewhere.
	AggregatorID uint16
	ActorState   uint8
	PartnerState uint8
	// Options are those of PortAttributes that the kernel reports.
	Options Values
}

// Mode is the bond's.
func (s State) Mode() agg.Mode { return modeOf(s.Options) }

func modeOf(v Values) agg.Mode {
	for _, m := range agg.Modes() {
		if o, ok := agg.Lookup("mode", agg.OfAggregate); ok {
			for _, e := range o.Values {
				if e.Text == m.String() && v["mode"] == itoa(e.Number) {
					return m
				}
			}
		}
	}
	return agg.ModeUnset
}

// Port finds a port by name.
func (s State) Port(name string) (Port, bool) {
	i := slices.IndexFunc(s.Ports, func(p Port) bool { return p.Name == name })
	if i < 0 {
		return Port{}, false
	}
	return s.Ports[i], true
}

// Works reports whether the driver sends by the port, as far as its link goes: also while
// downdelay runs.
func (p Port) Works() bool { return p.Link == "up" || p.Link == "going down" }

func linkWord(n byte) string {
	words := []string{"up", "going down", "down", "going back"}
	if int(n) < len(words) {
		return words[n]
	}
	return "unknown"
}

// link is what one RTM_NEWLINK says, whatever the interface is.
type link struct {
	index, master     int
	name, kind, under string // kind, and the kind of the master
	up, carrier       bool
	oper              int
	mac               agg.MAC
	mtu               int
	data, portData    []byte
}

// The operational states of an interface that can send, IF_OPER_* of linux/if.h. A driver
// that never tells its carrier leaves the first.
const (
	ifOperUnknown = 0
	ifOperDormant = 5
)

func parseLink(m []byte) (link, error) {
	if len(m) < unix.SizeofIfInfomsg {
		return link{}, errShort
	}
	l := link{index: int(int32(binary.NativeEndian.Uint32(m[4:])))}
	l.up = binary.NativeEndian.Uint32(m[8:])&unix.IFF_UP != 0
	err := attributes(m[unix.SizeofIfInfomsg:], func(kind int, b []byte) error {
		switch kind {
		case unix.IFLA_IFNAME:
			l.name = nl.BytesToString(b)
		case unix.IFLA_MASTER:
			l.master = number(b)
		case unix.IFLA_MTU:
			l.mtu = number(b)
		case unix.IFLA_CARRIER:
			l.carrier = len(b) > 0 && b[0] == 1
		case unix.IFLA_OPERSTATE:
			l.oper = number(b)
		case unix.IFLA_ADDRESS:
			copy(l.mac[:], b)
		case unix.IFLA_LINKINFO:
			return l.info(b)
		}
		return nil
	})
	return l, err
}

func (l *link) info(b []byte) error {
	return attributes(b, func(kind int, b []byte) error {
		switch kind {
		case nl.IFLA_INFO_KIND:
			l.kind = nl.BytesToString(b)
		case nl.IFLA_INFO_SLAVE_KIND:
			l.under = nl.BytesToString(b)
		case nl.IFLA_INFO_DATA:
			l.data = b
		case nl.IFLA_INFO_SLAVE_DATA:
			l.portData = b
		}
		return nil
	})
}

func number(b []byte) int {
	switch {
	case len(b) >= 4:
		return int(int32(binary.NativeEndian.Uint32(b)))
	case len(b) >= 2:
		return int(binary.NativeEndian.Uint16(b))
	case len(b) == 1:
		return int(b[0])
	default:
		return 0
	}
}

// state reads a bond.
func (l link) state() (State, error) {
	s := State{Name: l.name, Index: l.index, Up: l.up, Carrier: l.carrier, Queued: l.oper >= ifOperDormant, MAC: l.mac, MTU: l.mtu, Options: Values{}}
	err := values(Attributes(), l.data, s.Options, func(kind int, b []byte) error {
		if kind == nl.IFLA_BOND_AD_INFO {
			return s.Aggregator.parse(b)
		}
		return nil
	})
	for _, a := range Attributes() {
		if _, ok := s.Options[a.Name]; !ok && a.Optional && a.in(s.Mode()) {
			s.Options[a.Name] = a.unset()
		}
	}
	return s, err
}

// in reports whether the driver takes the option in a mode.
func (a Attribute) in(m agg.Mode) bool { return a.Modes == nil || slices.Contains(a.Modes, m) }

func (g *Aggregator) parse(b []byte) error {
	return attributes(b, func(kind int, b []byte) error {
		switch n := uint16(number(b)); kind {
		case nl.IFLA_BOND_AD_INFO_AGGREGATOR:
			g.ID = n
		case nl.IFLA_BOND_AD_INFO_NUM_PORTS:
			g.Ports = n
		case nl.IFLA_BOND_AD_INFO_ACTOR_KEY:
			g.ActorKey = n
		case nl.IFLA_BOND_AD_INFO_PARTNER_KEY:
			g.PartnerKey = n
		case nl.IFLA_BOND_AD_INFO_PARTNER_MAC:
			copy(g.Partner[:], b)
		}
		return nil
	})
}

// port reads a port.
func (l link) port() (Port, error) {
	p := Port{Name: l.name, Index: l.index, Up: l.up, Carrier: l.carrier, MAC: l.mac, Options: Values{},
		Queued: l.oper == ifOperUnknown || l.oper >= ifOperDormant}
	err := values(PortAttributes(), l.portData, p.Options, func(kind int, b []byte) error {
		switch n := number(b); kind {
		case nl.IFLA_BOND_SLAVE_STATE:
			p.Active = n == 0
		case nl.IFLA_BOND_SLAVE_MII_STATUS:
			p.Link = linkWord(byte(n))
		case nl.IFLA_BOND_SLAVE_LINK_FAILURE_COUNT:
			p.Failures = uint32(n)
		case nl.IFLA_BOND_SLAVE_PERM_HWADDR:
			copy(p.PermanentMAC[:], b)
		case nl.IFLA_BOND_SLAVE_AD_AGGREGATOR_ID:
			p.AggregatorID = uint16(n)
		case nl.IFLA_BOND_SLAVE_AD_ACTOR_OPER_PORT_STATE:
			p.ActorState = uint8(n)
		case nl.IFLA_BOND_SLAVE_AD_PARTNER_OPER_PORT_STATE:
			p.PartnerState = uint8(n)
		}
		return nil
	})
	return p, err
}

// values reads the attributes of a list into out, and hands the others on.
func values(list []Attribute, b []byte, out Values, other func(kind int, b []byte) error) error {
	return attributes(b, func(kind int, data []byte) (err error) {
		for _, a := range list {
			if a.Number == kind {
				out[a.Name], err = a.decode(data)
				return err
			}
		}
		return other(kind, data)
	})
}
