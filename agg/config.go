package agg

import (
	"strconv"
	"time"
)

// Config is the meaning of a Spec: every option that is built, typed, with defaults.
type Config struct {
	Name            string
	Plane           string // a value of option plane
	Mode            Mode
	HashPolicy      HashPolicy
	HashMap         HashMap
	Primary         string
	PrimaryReselect Reselect
	// ActiveSlave is the port an operator asked for, empty where none.
	ActiveSlave string
	// Watching is false under watch=none.
	Watching bool
	// Miimon is the period of the carrier poll behind the events; 0 means events only.
	// MiimonSet tells a chosen period from the default, which adapts.
	Miimon    time.Duration
	MiimonSet bool
	// UseCarrier false reads the link by ethtool and MII instead of the carrier flag.
	UseCarrier bool
	// NumPeerNotif is num_grat_arp, alias num_unsol_na.
	NumPeerNotif int
	// NumPeerNotifSet tells a chosen number from the default.
	NumPeerNotifSet bool
	// PeerNotifDelay is the time between two announcements, 0 where none is given.
	PeerNotifDelay time.Duration
	// ResendIGMP is how often multicast groups are reported, RejoinInterval how far apart.
	ResendIGMP     int
	RejoinInterval time.Duration
	// PacketsPerSlave is how many frames a port of balance-rr sends in a row; 0 is random.
	PacketsPerSlave int
	// AllSlavesActive passes on what ports that stand by receive.
	AllSlavesActive bool
	FailOverMAC     FailOverMAC
	FastPath        bool
	// DrainTimeout is how long a planned move waits at most for a pause in the traffic; 0 is
	// not at all.
	DrainTimeout time.Duration
	MTU          int
	// MAC is the address asked for, zero where the first port gives it.
	MAC MAC
	// LACP is used in mode 802.3ad.
	LACP  LACPConfig
	Ports []PortConfig
}

// PortConfig is the meaning of a PortSpec.
type PortConfig struct {
	Name      string
	Prio      int32
	Sticky    bool
	Weight    uint32 // 0 where speed decides
	UpDelay   time.Duration
	DownDelay time.Duration
	QueueID   int // 0 where none
	// LACPPriority is actor_port_prio, LACPKey lacp_key; 0 makes the key of speed and duplex.
	LACPPriority uint16
	LACPKey      uint16
}

// Config resolves the spec. Values that Validate would refuse count as unset.
func (s Spec) Config() Config {
	r := resolver{settings: s.Options, scope: OfAggregate}
	_, miimonSet := s.Options["miimon"]
	_, notifSet := s.Options["num_grat_arp"]
	c := Config{
		Name:            s.Name,
		Plane:           r.text("plane"),
		Mode:            modeNamed(r.text("mode")),
		HashPolicy:      HashPolicy(r.number("xmit_hash_policy")),
		HashMap:         HashMap(r.number("hash_map")),
		Primary:         r.text("primary"),
		PrimaryReselect: Reselect(r.number("primary_reselect")),
		ActiveSlave:     r.text("active_slave"),
		Watching:        r.text("watch") != "none",
		Miimon:          r.duration("miimon"),
		MiimonSet:       miimonSet,
		UseCarrier:      r.text("use_carrier") == "on",
		NumPeerNotif:    r.number("num_grat_arp"),
		NumPeerNotifSet: notifSet,
		PeerNotifDelay:  r.duration("peer_notif_delay"),
		ResendIGMP:      r.number("resend_igmp"),
		RejoinInterval:  r.duration("mcast_rejoin_interval"),
		PacketsPerSlave: r.number("packets_per_slave"),
		AllSlavesActive: r.text("all_slaves_active") == "on",
		FailOverMAC:     FailOverMAC(r.number("fail_over_mac")),
		FastPath:        r.text("fast_path") == "on",
		DrainTimeout:    r.duration("drain_timeout"),
		MTU:             r.number("mtu"),
		LACP:            r.lacp(),
	}
	if _, ok := s.Options["tx_hash"]; ok {
		c.HashPolicy = parseFields(r.text("tx_hash"))
	}
	if m, err := ParseMAC(r.text("mac")); err == nil {
		c.MAC = m
	}
	if c.Plane == "bonding" && c.Mode != LACP {
		c.LACP.MinLinks = 0 // the driver takes it and does not heed it
	}
	for _, p := range s.Ports {
		c.Ports = append(c.Ports, s.portConfig(p))
	}
	return c
}

// modeNamed is the mode of a canonical name.
func modeNamed(name string) Mode {
	for _, m := range Modes() {
		if m.String() == name {
			return m
		}
	}
	return ModeUnset
}

func (s Spec) portConfig(p PortSpec) PortConfig {
	r := resolver{settings: p.Options, fallback: s.Options, scope: OfPort}
	return PortConfig{
		Name:      p.Name,
		Prio:      int32(r.number("prio")),
		Sticky:    r.text("sticky") == "on",
		Weight:    uint32(r.number("weight")),
		UpDelay:   r.duration("updelay"),
		DownDelay: r.duration("downdelay"),
		QueueID:   r.number("queue_id"),

		LACPPriority: uint16(r.number("actor_port_prio")),
		LACPKey:      uint16(r.number("lacp_key")),
	}
}

// resolver reads one scope's settings: a port's, then the aggregate's for options of
// both, then the default.
type resolver struct {
	settings, fallback Settings
	scope              Scope
}

func (r resolver) text(name string) string {
	o, ok := Lookup(name, r.scope)
	if !ok {
		panic("agg: Config reads " + name + ", which is not in the options table")
	}
	for _, from := range []Settings{r.settings, r.fallback} {
		if v, ok := from[name]; ok {
			if c, err := o.Canonical(v); err == nil {
				return c
			}
		}
	}
	return o.Default
}

func (r resolver) number(name string) int {
	text := r.text(name)
	o, _ := Lookup(name, r.scope)
	for _, v := range o.Values {
		if v.Text == text {
			return v.Number
		}
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0
	}
	return n
}

func (r resolver) duration(name string) time.Duration {
	d, err := time.ParseDuration(r.text(name))
	if err != nil {
		return 0
	}
	return d
}

// PortConfig returns the named port's configuration.
func (c Config) PortConfig(name string) (PortConfig, bool) {
	for _, p := range c.Ports {
		if p.Name == name {
			return p, true
		}
	}
	return PortConfig{}, false
}
