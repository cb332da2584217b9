package agg

// LACPStatus is the LACP of an aggregate.
type LACPStatus struct {
	// SystemPriority, System and Key are ours, as the partner knows them.
	SystemPriority uint16 `json:"system_priority"`
	System         MAC    `json:"system"`
	Key            uint16 `json:"key"`
	// Aggregator is the number of the one that carries, 0 for none, and Ports how many
	// ports it has.
	Aggregator uint16 `json:"aggregator"`
	Ports      int    `json:"ports"`
	// PartnerPriority, Partner and PartnerKey are the other end of that aggregator.
	PartnerPriority uint16 `json:"partner_system_priority"`
	Partner         MAC    `json:"partner_system"`
	PartnerKey      uint16 `json:"partner_key"`
	// Carrier is what LACP says of it.
	Carrier bool `json:"carrier"`
}

// PortLACP is the LACP of a port. States have the standard's names.
type PortLACP struct {
	// Number is the port's in LACPDUs.
	Number uint16 `json:"number"`
	// Receives and Sends are collecting and distributing.
	Receives bool `json:"receives"`
	Sends    bool `json:"sends"`
	// Fallback: the port is open without a partner.
	Fallback   bool   `json:"fallback,omitempty"`
	Aggregator uint16 `json:"aggregator"`
	// Active: its aggregator is the one that carries.
	Active       bool   `json:"active"`
	Selected     string `json:"selected"`
	Receive      string `json:"receive_machine"`
	Periodic     string `json:"periodic_machine"`
	Mux          string `json:"mux_machine"`
	ActorChurn   string `json:"actor_churn"`
	PartnerChurn string `json:"partner_churn"`
	// Actor is our end, Partner the other as it was heard last.
	Actor   LACPEnd `json:"actor"`
	Partner LACPEnd `json:"partner"`
	// Counters are those of PDUs by kind and direction, of drops by reason, of churn, and
	// the longest gap between two LACPDUs that were sent.
	Counters map[string]uint64 `json:"counters,omitempty"`
}

// LACPEnd is one end of a link.
type LACPEnd struct {
	SystemPriority uint16 `json:"system_priority"`
	System         MAC    `json:"system"`
	Key            uint16 `json:"key"`
	PortPriority   uint16 `json:"port_priority"`
	Port           uint16 `json:"port"`
	// State is the octet of a LACPDU, Words its bits in words.
	State uint8  `json:"state"`
	Words string `json:"state_words"`
}
