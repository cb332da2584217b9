package agg

import "time"

// LACPConfig is the meaning of the options of mode 802.3ad. The words are those of the
// options table.
type LACPConfig struct {
	// Fast is lacp_rate=fast, Active lacp_active.
	Fast, Active bool
	// Select is ad_select.
	Select string
	// SystemPriority is ad_actor_sys_prio; System is ad_actor_system, zero where it is the
	// aggregate's address.
	SystemPriority uint16
	System         MAC
	// UserKey is ad_user_port_key.
	UserKey uint16
	// MinLinks and MaxLinks are counts of ports, MaxLinks 0 for no limit.
	MinLinks, MaxLinks int
	// Coupled is coupled_control, Strict lacp_strict.
	Coupled, Strict bool
	// BroadcastNeighbor is broadcast_neighbor.
	BroadcastNeighbor bool
	// Fallback and Wait are words, FallbackTimeout and WaitToRestore times.
	Fallback        string
	FallbackTimeout time.Duration
	Wait            string
	WaitToRestore   time.Duration
	Revertive       bool
	// MaxOrphan is max_orphan_time.
	MaxOrphan time.Duration
}

func (r resolver) lacp() LACPConfig {
	c := LACPConfig{
		Fast:              r.text("lacp_rate") == "fast",
		Active:            r.text("lacp_active") == "on",
		Select:            r.text("ad_select"),
		SystemPriority:    uint16(r.number("ad_actor_sys_prio")),
		UserKey:           uint16(r.number("ad_user_port_key")),
		MinLinks:          r.number("min_links"),
		MaxLinks:          r.number("max_links"),
		Coupled:           r.text("coupled_control") == "on",
		Strict:            r.text("lacp_strict") == "on",
		BroadcastNeighbor: r.text("broadcast_neighbor") == "on",
		Fallback:          r.text("fallback"),
		FallbackTimeout:   r.duration("fallback_timeout"),
		Wait:              r.text("lacp_wait"),
		WaitToRestore:     r.duration("wait_to_restore"),
		Revertive:         r.text("revertive") == "on",
		MaxOrphan:         r.duration("max_orphan_time"),
	}
	if m, err := ParseMAC(r.text("ad_actor_system")); err == nil {
		c.System = m
	}
	return c
}
