package lacp

// Row is one row of the tables of transitions and of record functions. The numbers may
// change between versions; the ids that Info gives do not.
type Row uint8

// The rows, by machine.
const (
	NoRow Row = iota

	RX01
	RX02
	RX03
	RX04
	RX05
	RX06
	RX07
	RX08
	RX09
	RX10
	RX11
	RX12
	RX13
	RX14

	FN01
	FN02
	FN03
	FN04
	FN05
	FN06
	FN07

	PT01
	PT02
	PT03
	PT04
	PT05
	PT06
	PT07
	PT08

	MX01
	MX02
	MX03
	MX04
	MX05
	MX06
	MX07
	MX08
	MX09
	MX10
	MX11
	MX12
	MX13

	SL01
	SL02
	SL03
	SL04
	SL05
	SL06
	SL07
	SL08

	TX01
	TX02
	TX03
	TX04

	AC01
	AC02
	AC03
	AC04
	AC05

	PC01
	PC02
	PC03
	PC04
	PC05

	KY01
	KY02
	KY03
	KY04

	MK01
	MK02
	MK03
	MK04

	numRows
)

// RowInfo says what a row is.
type RowInfo struct {
	// ID is stable: "RX-08".
	ID string
	// Machine, From and To are the standard's names; From is "any" where it is.
	Machine, From, To string
	// When is the condition.
	When string
	// Clause is that of 802.1AX-2014, or says that the row is this package's own.
	Clause string
}

// Rows returns every row but NoRow.
func Rows() []Row {
	out := make([]Row, 0, numRows-1)
	for r := NoRow + 1; r < numRows; r++ {
		out = append(out, r)
	}
	return out
}

// String returns the id.
func (r Row) String() string { return r.Info().ID }

// Info returns what the row is; the zero RowInfo for a number that is none.
func (r Row) Info() RowInfo {
	if int(r) >= len(rowTable) {
		return RowInfo{}
	}
	return rowTable[r]
}

var rowTable = [numRows]RowInfo{ //nolint:gochecknoglobals // a constant table
	RX01: {"RX-01", "Receive", "any", "INITIALIZE", "BEGIN", "6.4.12 figure 6-18"},
	RX02: {"RX-02", "Receive", "INITIALIZE", "PORT_DISABLED", "at once", "6.4.12 figure 6-18"},
	RX03: {"RX-03", "Receive", "any", "PORT_DISABLED", "not port_enabled", "6.4.12 figure 6-18"},
	RX04: {"RX-04", "Receive", "PORT_DISABLED", "INITIALIZE", "port_moved", "6.4.12 figure 6-18"},
	RX05: {"RX-05", "Receive", "PORT_DISABLED", "EXPIRED", "port_enabled and LACP_Enabled", "6.4.12 figure 6-18"},
	RX06: {"RX-06", "Receive", "PORT_DISABLED", "LACP_DISABLED", "port_enabled and not LACP_Enabled", "6.4.12 figure 6-18"},
	RX07: {"RX-07", "Receive", "LACP_DISABLED", "PORT_DISABLED", "LACP_Enabled", "802.1AX-2020 6.4.12"},
	RX08: {"RX-08", "Receive", "EXPIRED", "CURRENT", "LACPDU", "6.4.12 figure 6-18"},
	RX09: {"RX-09", "Receive", "EXPIRED", "DEFAULTED", "current_while ran out", "6.4.12 figure 6-18"},
	RX10: {"RX-10", "Receive", "DEFAULTED", "CURRENT", "LACPDU", "6.4.12 figure 6-18"},
	RX11: {"RX-11", "Receive", "DEFAULTED", "DEFAULTED", "the partner's admin values changed", "6.4.12 figure 6-18"},
	RX12: {"RX-12", "Receive", "CURRENT", "CURRENT", "LACPDU", "6.4.12 figure 6-18"},
	RX13: {"RX-13", "Receive", "CURRENT", "EXPIRED", "current_while ran out", "6.4.12 figure 6-18"},
	RX14: {"RX-14", "Receive", "any", "PORT_DISABLED", "not LACP_Enabled", "802.1AX-2020 6.4.12"},

	FN01: {"FN-01", "update_Selected", "any", "UNSELECTED", "the actor of the LACPDU is not the recorded partner", "6.4.9"},
	FN02: {"FN-02", "update_Default_Selected", "any", "UNSELECTED", "the partner's admin values are not the recorded ones", "6.4.9"},
	FN03: {"FN-03", "update_NTT", "any", "NTT", "the partner's view of us is not what we are", "6.4.9"},
	FN04: {"FN-04", "recordPDU", "any", "in sync", "in sync, matched or individual, and maintained", "6.4.9"},
	FN05: {"FN-05", "recordPDU", "any", "out of sync", "the partner's view of us does not match, or it is not in sync", "6.4.9"},
	FN06: {"FN-06", "recordPDU", "any", "out of sync", "not actively maintained", "6.4.9"},
	FN07: {"FN-07", "recordDefault", "any", "defaulted", "always", "6.4.9"},

	PT01: {"PT-01", "Periodic", "any", "NO_PERIODIC", "LACP or the port is off, or both ends are passive", "6.4.13 figure 6-19"},
	PT02: {"PT-02", "Periodic", "NO_PERIODIC", "FAST_PERIODIC", "at once", "6.4.13 figure 6-19"},
	PT03: {"PT-03", "Periodic", "FAST_PERIODIC", "PERIODIC_TX", "periodic_timer ran out", "6.4.13 figure 6-19"},
	PT04: {"PT-04", "Periodic", "FAST_PERIODIC", "SLOW_PERIODIC", "the partner wants long", "6.4.13 figure 6-19"},
	PT05: {"PT-05", "Periodic", "SLOW_PERIODIC", "PERIODIC_TX", "periodic_timer ran out", "6.4.13 figure 6-19"},
	PT06: {"PT-06", "Periodic", "SLOW_PERIODIC", "PERIODIC_TX", "the partner wants short", "6.4.13 figure 6-19"},
	PT07: {"PT-07", "Periodic", "PERIODIC_TX", "FAST_PERIODIC", "the partner wants short", "6.4.13 figure 6-19"},
	PT08: {"PT-08", "Periodic", "PERIODIC_TX", "SLOW_PERIODIC", "the partner wants long", "6.4.13 figure 6-19"},

	MX01: {"MX-01", "Mux", "any", "DETACHED", "BEGIN", "6.4.15 figures 6-21, 6-22"},
	MX02: {"MX-02", "Mux", "DETACHED", "WAITING", "SELECTED or STANDBY", "6.4.15 figures 6-21, 6-22"},
	MX03: {"MX-03", "Mux", "WAITING", "ATTACHED", "SELECTED and Ready", "6.4.15 figures 6-21, 6-22"},
	MX04: {"MX-04", "Mux", "WAITING", "DETACHED", "UNSELECTED", "6.4.15 figures 6-21, 6-22"},
	MX05: {"MX-05", "Mux", "ATTACHED", "COLLECTING_DISTRIBUTING", "SELECTED, partner in sync; coupled control", "6.4.15 figure 6-22"},
	MX06: {"MX-06", "Mux", "ATTACHED", "COLLECTING", "SELECTED, partner in sync; independent control", "6.4.15 figure 6-21"},
	MX07: {"MX-07", "Mux", "ATTACHED", "DETACHED", "UNSELECTED or STANDBY", "6.4.15 figures 6-21, 6-22"},
	MX08: {"MX-08", "Mux", "COLLECTING", "DISTRIBUTING", "SELECTED, partner in sync and collecting", "6.4.15 figure 6-21"},
	MX09: {"MX-09", "Mux", "COLLECTING", "ATTACHED", "not SELECTED, or partner out of sync", "6.4.15 figure 6-21"},
	MX10: {"MX-10", "Mux", "DISTRIBUTING", "COLLECTING", "not SELECTED, partner out of sync or not collecting, or draining", "6.4.15 figure 6-21"},
	MX11: {"MX-11", "Mux", "COLLECTING_DISTRIBUTING", "ATTACHED", "not SELECTED, or partner out of sync", "6.4.15 figure 6-22"},
	MX12: {"MX-12", "Mux", "COLLECTING_DISTRIBUTING", "sender closed", "the partner stopped collecting, or draining", "own: a deaf partner of coupled control"},
	MX13: {"MX-13", "Mux", "COLLECTING_DISTRIBUTING", "sender open", "the partner collects again", "own: a deaf partner of coupled control"},

	SL01: {"SL-01", "Selection", "any", "UNSELECTED", "the port may not aggregate", "6.4.14.1 e, f"},
	SL02: {"SL-02", "Selection", "UNSELECTED", "aggregator of its LAG", "another port has the same LAG ID", "6.4.14.1 c"},
	SL03: {"SL-03", "Selection", "UNSELECTED", "aggregator of its own", "no other port has its LAG ID", "6.4.14.1 d"},
	SL04: {"SL-04", "Selection", "any", "SELECTED", "in the active aggregator and within max_links", "6.4.14.1 h"},
	SL05: {"SL-05", "Selection", "any", "STANDBY", "beyond max_links", "6.7.1"},
	SL06: {"SL-06", "Selection", "any", "STANDBY", "in an aggregator that is not active", "own: one aggregator carries"},
	SL07: {"SL-07", "Selection", "none", "active aggregator", "the policy chooses", "own: one aggregator carries"},
	SL08: {"SL-08", "Selection", "SELECTED", "UNSELECTED", "drained for removal", "own: loss-free removal"},

	TX01: {"TX-01", "Transmit", "NTT", "sent", "within the limit", "6.4.16"},
	TX02: {"TX-02", "Transmit", "NTT", "held", "three were sent within a second", "6.4.16"},
	TX03: {"TX-03", "Transmit", "NTT", "cleared", "NO_PERIODIC, or the port is off", "6.4.16"},
	TX04: {"TX-04", "Transmit", "sent", "NTT", "the transport failed", "6.4.16"},

	AC01: {"AC-01", "Actor Churn", "any", "ACTOR_CHURN_MONITOR", "BEGIN or not port_enabled", "6.4.17 figure 6-23"},
	AC02: {"AC-02", "Actor Churn", "ACTOR_CHURN_MONITOR", "NO_ACTOR_CHURN", "actor in sync", "6.4.17 figure 6-23"},
	AC03: {"AC-03", "Actor Churn", "ACTOR_CHURN_MONITOR", "ACTOR_CHURN", "actor_churn_timer ran out", "6.4.17 figure 6-23"},
	AC04: {"AC-04", "Actor Churn", "NO_ACTOR_CHURN", "ACTOR_CHURN_MONITOR", "actor out of sync", "6.4.17 figure 6-23"},
	AC05: {"AC-05", "Actor Churn", "ACTOR_CHURN", "NO_ACTOR_CHURN", "actor in sync", "6.4.17 figure 6-23"},

	PC01: {"PC-01", "Partner Churn", "any", "PARTNER_CHURN_MONITOR", "BEGIN or not port_enabled", "6.4.17 figure 6-24"},
	PC02: {"PC-02", "Partner Churn", "PARTNER_CHURN_MONITOR", "NO_PARTNER_CHURN", "partner in sync", "6.4.17 figure 6-24"},
	PC03: {"PC-03", "Partner Churn", "PARTNER_CHURN_MONITOR", "PARTNER_CHURN", "partner_churn_timer ran out", "6.4.17 figure 6-24"},
	PC04: {"PC-04", "Partner Churn", "NO_PARTNER_CHURN", "PARTNER_CHURN_MONITOR", "partner out of sync", "6.4.17 figure 6-24"},
	PC05: {"PC-05", "Partner Churn", "PARTNER_CHURN", "NO_PARTNER_CHURN", "partner in sync", "6.4.17 figure 6-24"},

	KY01: {"KY-01", "Key", "any", "UNSELECTED", "the operational key changed", "6.3.5"},
	KY02: {"KY-02", "Key", "any", "LACP_Enabled false", "half duplex", "6.4.7"},
	KY03: {"KY-03", "Key", "any", "UNSELECTED", "the actor's system changed", "6.3.2"},
	KY04: {"KY-04", "Key", "any", "NTT", "the port's priority changed", "6.3.4"},

	MK01: {"MK-01", "Marker Responder", "WAIT_FOR_MARKER", "RESPOND_TO_MARKER", "Marker Information", "6.5.4.2"},
	MK02: {"MK-02", "Marker Responder", "RESPOND_TO_MARKER", "WAIT_FOR_MARKER", "at once", "6.5.4.2"},
	MK03: {"MK-03", "Marker Requester", "waiting", "flushed", "Marker Response with the last transaction", "6.5.4.1"},
	MK04: {"MK-04", "Marker Requester", "waiting", "flushed", "no response in time", "6.5.4.1"},
}
