package user

import "sync/atomic"

// drops counts frames that went nowhere, by reason. The names are those of
// agg.Facts.Counters.
type drops struct {
	blocked   atomic.Uint64 // the plan is blocked
	noPort    atomic.Uint64 // the plan has no port for the frame
	noCarrier atomic.Uint64 // no carrier on the first choice, and none to take over
	refused   atomic.Uint64 // the port's device was busy
	cut       atomic.Uint64 // longer than a ring's slot
	rxRefused atomic.Uint64 // the aggregate's device is down or busy
	txRing    atomic.Uint64 // the ring of the aggregate's device was full
	rxRing    atomic.Uint64 // the ring of a port was full
}

func (d *drops) values() map[string]uint64 {
	return map[string]uint64{
		"drop_blocked":    d.blocked.Load(),
		"drop_no_port":    d.noPort.Load(),
		"drop_no_carrier": d.noCarrier.Load(),
		"drop_tx_refused": d.refused.Load(),
		"drop_cut":        d.cut.Load(),
		"drop_rx_refused": d.rxRefused.Load(),
		"drop_tx_ring":    d.txRing.Load(),
		"drop_rx_ring":    d.rxRing.Load(),
	}
}
