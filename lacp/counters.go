package lacp

import "github.com/yokelag/yoke/wire/slow"

// Counters of one port since it was made.
type Counters struct {
	RxLACPDU         uint64 `json:"rx_lacpdu"`
	RxMarker         uint64 `json:"rx_marker"`
	RxMarkerResponse uint64 `json:"rx_marker_response"`
	TxLACPDU         uint64 `json:"tx_lacpdu"`
	TxMarker         uint64 `json:"tx_marker"`
	TxMarkerResponse uint64 `json:"tx_marker_response"`
	// RxIllegal and RxUnknown are the standard's.
	RxIllegal uint64 `json:"rx_illegal"`
	RxUnknown uint64 `json:"rx_unknown"`
	// RxTagged, RxLoop, RxDown, RxDisabled and RxLimited were dropped: with a VLAN, our
	// own, on a port that is down, with LACP off, and beyond ten a second.
	RxTagged   uint64 `json:"rx_tagged"`
	RxLoop     uint64 `json:"rx_loop"`
	RxDown     uint64 `json:"rx_down"`
	RxDisabled uint64 `json:"rx_disabled"`
	RxLimited  uint64 `json:"rx_limited"`
	// RxUnasked are Marker Responses to nothing that we asked.
	RxUnasked uint64 `json:"rx_unasked_marker_response"`
	// RxBadTLV were used as far as version 1 goes; RxOddType had other TLV types, and
	// RxZero a key or a port number of 0.
	RxBadTLV  uint64 `json:"rx_bad_tlv"`
	RxOddType uint64 `json:"rx_odd_type"`
	RxZero    uint64 `json:"rx_zero_key_or_port"`
	// RxVersion is the version of the last LACPDU.
	RxVersion uint8 `json:"rx_version"`
	// RxLate are gaps above 1.5 s while one a second was asked for; LongestGap is in
	// nanoseconds, between two LACPDUs that were sent.
	RxLate     uint64 `json:"rx_late"`
	LongestGap int64  `json:"longest_gap_sent_ns"`
	// TxFailed could not be sent, TxHeld waited for the limit of three a second.
	TxFailed uint64 `json:"tx_failed"`
	TxHeld   uint64 `json:"tx_held"`
	// ActorChurns, PartnerChurns, PartnerChanges and Unselected count what happened.
	ActorChurns    uint64 `json:"actor_churns"`
	PartnerChurns  uint64 `json:"partner_churns"`
	PartnerChanges uint64 `json:"partner_changes"`
	Expiries       uint64 `json:"expiries"`
}

func (c *Counters) drop(k slow.Counter) {
	switch k {
	case slow.CountIllegal:
		c.RxIllegal++
	case slow.CountUnknown:
		c.RxUnknown++
	case slow.CountTagged:
		c.RxTagged++
	case slow.CountBadTLV:
		c.RxBadTLV++
	case slow.CountNothing:
	}
}
