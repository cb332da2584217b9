package lacp

import (
	"fmt"
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/wire/slow"
)

// Policy chooses the aggregator that carries where the ports form several. The first
// four are bonding's ad_select, the others teamd's agg_select_policy.
type Policy string

// The policies.
const (
	Stable         Policy = "stable"           // most bandwidth, kept while it works
	Bandwidth      Policy = "bandwidth"        // largest sum of speeds
	Count          Policy = "count"            // most ports
	ActorPortPrio  Policy = "actor_port_prio"  // largest sum of actor_port_prio
	LACPPrio       Policy = "lacp_prio"        // holds the best port of the better system
	LACPPrioStable Policy = "lacp_prio_stable" // the same, kept while it works
	PortConfig     Policy = "port_config"      // holds the port of the highest prio; sticky keeps
)

// Wait is how wait_while is set.
type Wait string

// The waits.
const (
	// WaitFast waits for other ports only while some may still come, 200 ms at most.
	WaitFast Wait = "fast"
	// WaitStrict is the standard's Aggregate_Wait_Time of 2 s.
	WaitStrict Wait = "strict"
)

// Fallback is what happens while no partner speaks.
type Fallback string

// The fallbacks. One port carries then, the one of the best port ID with a link.
const (
	FallbackNone Fallback = "none"
	// FallbackStatic: the port stays aggregatable in its LACPDUs.
	FallbackStatic Fallback = "static"
	// FallbackIndividual: its LACPDUs say that it is an individual link.
	FallbackIndividual Fallback = "individual"
)

// Config is what is wanted of a System. The zero values of Policy, Wait and Fallback
// are Stable, WaitFast and FallbackNone.
type Config struct {
	// System and SystemPriority are the actor's (ad_actor_system, ad_actor_sys_prio);
	// the lower number has the better priority.
	System         agg.MAC `json:"system"`
	SystemPriority uint16  `json:"system_priority"`
	// Active speaks first (lacp_active); Short asks the partner for a LACPDU every
	// second (lacp_rate fast).
	Active bool `json:"active"`
	Short  bool `json:"short"`
	// AskBack asks a partner that asks for a LACPDU every second for the same, so that who
	// answers it in this system's place, and can do no more than answer, does so in time.
	AskBack bool `json:"ask_back,omitempty"`
	// Coupled joins collecting and distributing (coupled_control).
	Coupled bool `json:"coupled,omitempty"`
	// Strict: carrier only while a port distributes (lacp_strict). Otherwise links that
	// are up count.
	Strict bool `json:"strict,omitempty"`
	// MinLinks ports must work for carrier; 0 is 1. At most MaxLinks ports carry, 0 is
	// no limit; the better system decides which.
	MinLinks int    `json:"min_links,omitempty"`
	MaxLinks int    `json:"max_links,omitempty"`
	Policy   Policy `json:"policy,omitempty"`
	// UserKey is the upper ten bits of keys that are made of speed and duplex.
	UserKey uint16 `json:"user_key,omitempty"`
	Wait    Wait   `json:"wait,omitempty"`
	// Fallback begins FallbackAfter after the last port has given its partner up.
	Fallback      Fallback      `json:"fallback,omitempty"`
	FallbackAfter time.Duration `json:"fallback_after,omitempty"`
	// WaitToRestore keeps a port whose link came back out of use for so long while
	// others carry. NonRevertive lets a better port that comes back wait in standby.
	WaitToRestore time.Duration `json:"wait_to_restore,omitempty"`
	NonRevertive  bool          `json:"non_revertive,omitempty"`
	// PartnerAdmin is what is taken for the partner while none is known; zero is nobody.
	PartnerAdmin slow.Info `json:"partner_admin,omitzero"`
	// MaxDelay is told to the partner, in units of 10 microseconds.
	MaxDelay uint16 `json:"max_delay,omitempty"`
	// Yield lets a port that gives its place to a better one go on sending until a Yielded,
	// for so long at most, so that the caller can move its traffic first. 0 is not at all.
	Yield time.Duration `json:"yield,omitempty"`
	// FlushTime is how long a marker's answer is waited for when a port is drained; 0 is
	// 100 ms.
	FlushTime time.Duration `json:"flush_time,omitempty"`
	// Destination of LACPDUs and Markers, zero for the slow protocols' group.
	Destination agg.MAC `json:"destination,omitzero"`
	// Ports in any order, 64 at most.
	Ports []Port `json:"ports"`
}

// Port is what is wanted of a port.
type Port struct {
	// Number is the port's in LACPDUs, 1 to 65535, unique in the system.
	Number uint16 `json:"number"`
	// Name is for people.
	Name string `json:"name,omitempty"`
	// MAC is the port's own address, the source of its frames.
	MAC agg.MAC `json:"mac"`
	// Priority is the port's in LACPDUs (actor_port_prio, lacp_prio); the lower number
	// has the better priority.
	Priority uint16 `json:"priority"`
	// Key is given (lacp_key), or 0 to make it of speed and duplex.
	Key uint16 `json:"key,omitempty"`
	// Individual links do not aggregate.
	Individual bool `json:"individual,omitempty"`
	// Disabled switches LACP off on the port.
	Disabled bool `json:"disabled,omitempty"`
	// Prio and Sticky serve PortConfig; the higher Prio is preferred.
	Prio   int32 `json:"prio,omitempty"`
	Sticky bool  `json:"sticky,omitempty"`
}

// Check reports what cannot be.
func (c *Config) Check() error {
	if c.System.IsZero() || c.System.IsMulticast() {
		return fmt.Errorf("the system address %v is not that of one system", c.System)
	}
	if len(c.Ports) > agg.MaxPorts {
		return fmt.Errorf("%d ports; a system has at most %d", len(c.Ports), agg.MaxPorts)
	}
	if c.Yield < 0 {
		return fmt.Errorf("yield %v is no time to wait", c.Yield)
	}
	if c.MinLinks < 0 || c.MaxLinks < 0 || c.MaxLinks != 0 && c.MaxLinks < c.MinLinks {
		return fmt.Errorf("min_links %d and max_links %d leave no number of links that would do", c.MinLinks, c.MaxLinks)
	}
	for i, p := range c.Ports {
		if p.Number == 0 {
			return fmt.Errorf("port %s has no number", p.Name)
		}
		for _, q := range c.Ports[:i] {
			if q.Number == p.Number {
				return fmt.Errorf("ports %s and %s both have number %d", q.Name, p.Name, p.Number)
			}
		}
	}
	return nil
}

func (c *Config) destination() slow.Addr {
	if c.Destination.IsZero() {
		return slow.Group()
	}
	return slow.Addr(c.Destination)
}

// partnerAdmin are the partner's admin values. The partner is spoken to every second in
// case it comes.
func (c *Config) partnerAdmin() slow.Info {
	i := c.PartnerAdmin
	i.State |= slow.Timeout
	return i
}

func (c *Config) flushTime() time.Duration {
	if c.FlushTime <= 0 {
		return flushTime
	}
	return c.FlushTime
}

// keyOf returns a port's operational key: as given, or ten bits of the user, five of
// speed and one of duplex, as bonding has it.
func (c *Config) keyOf(p *Port, l Link) uint16 {
	if p.Key != 0 {
		return p.Key
	}
	key := c.UserKey<<6 | speedCode(l.Speed)<<1
	if l.FullDuplex {
		key |= 1
	}
	return key
}

// speedCode numbers the speeds as bonding does, from Mb/s. A speed that is in no table
// takes one of the codes above, so that unlike speeds rarely share one.
func speedCode(mbps uint32) uint16 {
	known := [...]uint32{0, 1, 10, 100, 1000, 2500, 5000, 10000, 14000, 20000, 25000, 40000, 50000, 56000, 100000, 200000, 400000, 800000}
	for i, v := range known {
		if v == mbps {
			return uint16(i)
		}
	}
	return uint16(len(known)) + uint16(mbps%uint32(32-len(known)))
}
