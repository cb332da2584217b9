package agg

import (
	"fmt"
	"slices"
	"time"
)

// Scope says what an option belongs to.
type Scope uint8

// Options belong to the aggregate, to one port, or to either (a port's value wins).
const (
	OfAggregate Scope = 1 << iota
	OfPort
	OfBoth = OfAggregate | OfPort
)

// Kind is the type of an option's value.
type Kind uint8

// The kinds. Their canonical text is what Canonical returns.
const (
	KindEnum     Kind = iota + 1 // one of Option.Values, by word or number
	KindBool                     // on or off; also true, false, yes, no, 1, 0
	KindInt                      // a decimal number in Min..Max
	KindDuration                 // "100ms", "1s"; a bare number counts in Option.Bare
	KindName                     // the name of an interface
	KindMAC                      // an Ethernet address
	KindText                     // free text, checked elsewhere
	KindList                     // comma-separated words, of Option.Values or checked elsewhere
)

// When says in which state of the aggregate an option may change.
type When uint8

// The states, as in bonding's table: any time, only while the device is down, only
// while there are no ports, only at creation.
const (
	AnyTime When = iota
	DeviceDown
	NoPorts
	AtCreation
)

// EnumValue is one value of an enumeration.
type EnumValue struct {
	Text    string
	Number  int
	Aliases []string
	// NotBuilt marks a value whose behaviour does not exist yet: it is known, and
	// refused by name.
	NotBuilt bool
	// Planes are those that have the value where not all do; nil means all.
	Planes []string
}

// Option is one row of the options table.
type Option struct {
	Name    string
	Aliases []string
	Scope   Scope
	Kind    Kind
	Values  []EnumValue
	// Min and Max bound KindInt, and KindDuration in units of Bare.
	Min, Max int64
	// Unit is for people: "ms", "frames".
	Unit string
	// Bare is the unit of a duration without a suffix.
	Bare time.Duration
	// Modes are those the option is valid in; nil means all.
	Modes []Mode
	When  When
	// Default is Yoke's; Bonding and Teamd are what those two use when nothing is said,
	// empty where they have no such option.
	Default, Bonding, Teamd string
	// Sysfs is the file below /sys/class/net/NAME/bonding, Netlink the IFLA_BOND_* or
	// IFLA_BOND_SLAVE_* number, Module the parameter of bonding.ko, TeamdKey the path
	// in teamd.conf.
	Sysfs    string
	Netlink  int
	Module   string
	TeamdKey string
	// Built is false for an option whose behaviour does not exist yet: it is known, and
	// refused by name.
	Built bool
	// Planes are those that have the option where not all do; nil means all.
	Planes []string
	// Instead says how Yoke does what an option is for that it will never have.
	Instead string
	// Doc is one paragraph for help and reference pages.
	Doc string
}

// ValidIn reports whether the option may be set in mode m.
func (o *Option) ValidIn(m Mode) bool {
	return len(o.Modes) == 0 || slices.Contains(o.Modes, m)
}

// maxName is the length of an interface's name at most, in bytes (IFNAMSIZ less the NUL).
const maxName = 15

// CheckName reports why name cannot be the name of a network interface: 1 to 15
// bytes, no slash, colon or white space, and not "." or ".." (dev_valid_name in
// net/core/dev.c).
func CheckName(name string) error {
	switch {
	case name == "":
		return fmt.Errorf("an interface name is missing")
	case len(name) > maxName:
		return fmt.Errorf("%q has %d characters; interface names have at most %d", name, len(name), maxName)
	case name == "." || name == "..":
		return fmt.Errorf("%q cannot be an interface name", name)
	}
	for _, r := range name {
		if r == '/' || r == ':' || r <= ' ' || r == 0x7f {
			return fmt.Errorf("%q cannot be an interface name: it holds %q", name, r)
		}
	}
	return nil
}
