package bonding

import "github.com/yokelag/yoke/agg"

// Form is how the kernel writes a value.
type Form uint8

// The forms.
const (
	U8 Form = iota + 1
	U16
	U32
	S32
	Index // the ifindex of a port, u32, 0 for none
	Address
	IPv4List
	IPv6List
)

// Attribute is one option of the driver.
type Attribute struct {
	// Name is the option's in package agg, Number the kernel's IFLA_BOND_* or
	// IFLA_BOND_SLAVE_* (include/uapi/linux/if_link.h).
	Name   string
	Number int
	Form   Form
	// Min and Max bound numbers.
	Min, Max int64
	// Modes are those in which the driver takes the option, nil for all.
	Modes []agg.Mode
	// Down: only while the device is down. Empty: only without ports.
	Down, Empty bool
	// Since is the first Linux that has the option, empty where every supported one has.
	Since string
	// Optional: not reported while unset, or in other modes.
	Optional bool
}

const maxInt32 = 1<<31 - 1

// Modes that the driver's rules name.
func activeModes() []agg.Mode { return []agg.Mode{agg.ActiveBackup, agg.BalanceTLB, agg.BalanceALB} }
func probeModes() []agg.Mode {
	return []agg.Mode{agg.BalanceRR, agg.ActiveBackup, agg.BalanceXOR, agg.Broadcast}
}

// Attributes are the options of a bond, in the order in which one after the other can be
// set: the mode before what depends on it, the watch that goes before the one that comes,
// miimon before the delays that are counted in it.
func Attributes() []Attribute {
	lacp, load := []agg.Mode{agg.LACP}, []agg.Mode{agg.BalanceTLB, agg.BalanceALB}
	return []Attribute{
		{Name: "mode", Number: 1, Form: U8, Max: 6, Down: true, Empty: true},
		{Name: "fail_over_mac", Number: 13, Form: U8, Max: 2, Empty: true},
		{Name: "arp_validate", Number: 9, Form: U32, Max: 6, Modes: probeModes()},
		{Name: "arp_interval", Number: 7, Form: U32, Max: maxInt32, Modes: probeModes()},
		{Name: "miimon", Number: 3, Form: U32, Max: maxInt32},
		{Name: "updelay", Number: 4, Form: U32, Max: maxInt32},
		{Name: "downdelay", Number: 5, Form: U32, Max: maxInt32},
		{Name: "peer_notif_delay", Number: 28, Form: U32, Max: 300000, Since: "5.3"},
		{Name: "use_carrier", Number: 6, Form: U8, Max: 1},
		{Name: "arp_ip_target", Number: 8, Form: IPv4List, Optional: true},
		{Name: "ns_ip6_target", Number: 31, Form: IPv6List, Since: "5.18", Optional: true},
		{Name: "arp_all_targets", Number: 10, Form: U32, Max: 1},
		{Name: "arp_missed_max", Number: 30, Form: U8, Min: 1, Max: 255, Modes: probeModes(), Since: "5.17"},
		{Name: "xmit_hash_policy", Number: 14, Form: U8, Max: 5},
		{Name: "resend_igmp", Number: 15, Form: U32, Max: 255},
		{Name: "num_grat_arp", Number: 16, Form: U8, Max: 255},
		{Name: "all_slaves_active", Number: 17, Form: U8, Max: 1},
		{Name: "min_links", Number: 18, Form: U32, Max: maxInt32},
		{Name: "lp_interval", Number: 19, Form: U32, Min: 1, Max: maxInt32},
		{Name: "packets_per_slave", Number: 20, Form: U32, Max: 65535, Modes: []agg.Mode{agg.BalanceRR}},
		{Name: "lacp_active", Number: 29, Form: U8, Max: 1, Modes: lacp, Down: true, Since: "5.16"},
		{Name: "lacp_rate", Number: 21, Form: U8, Max: 1, Modes: lacp, Down: true},
		{Name: "ad_select", Number: 22, Form: U8, Max: 3, Down: true},
		{Name: "ad_actor_sys_prio", Number: 24, Form: U16, Min: 1, Max: 65535, Modes: lacp, Optional: true},
		{Name: "ad_user_port_key", Number: 25, Form: U16, Max: 1023, Modes: lacp, Down: true, Optional: true},
		{Name: "ad_actor_system", Number: 26, Form: Address, Modes: lacp, Optional: true},
		{Name: "tlb_dynamic_lb", Number: 27, Form: U8, Max: 1, Modes: load, Down: true},
		{Name: "coupled_control", Number: 32, Form: U8, Max: 1, Modes: lacp, Down: true, Since: "6.9"},
		{Name: "broadcast_neighbor", Number: 33, Form: U8, Max: 1, Modes: lacp, Since: "6.17"},
		{Name: "lacp_strict", Number: 34, Form: U8, Max: 1, Modes: lacp, Since: "7.1"},
		{Name: "primary_reselect", Number: 12, Form: U8, Max: 2},
		{Name: "primary", Number: 11, Form: Index, Modes: activeModes(), Optional: true},
		{Name: "active_slave", Number: 2, Form: Index, Modes: activeModes(), Optional: true},
	}
}

// PortAttributes are the options of one port.
func PortAttributes() []Attribute {
	return []Attribute{
		{Name: "queue_id", Number: 5, Form: U16, Max: 65535},
		{Name: "prio", Number: 9, Form: S32, Min: -maxInt32 - 1, Max: maxInt32, Modes: activeModes(), Since: "6.0"},
		{Name: "actor_port_prio", Number: 10, Form: U16, Max: 65535, Modes: []agg.Mode{agg.LACP}, Since: "6.18"},
	}
}

// named finds an attribute.
func named(list []Attribute, name string) (Attribute, bool) {
	for _, a := range list {
		if a.Name == name {
			return a, true
		}
	}
	return Attribute{}, false
}
