package lacp

// RxState is a state of the Receive machine (clause 6.4.12).
type RxState uint8

// The states.
const (
	RxInitialize RxState = iota
	RxPortDisabled
	RxLACPDisabled
	RxExpired
	RxDefaulted
	RxCurrent
)

// String returns the standard's name.
func (s RxState) String() string {
	return name(s, "INITIALIZE", "PORT_DISABLED", "LACP_DISABLED", "EXPIRED", "DEFAULTED", "CURRENT")
}

// PeriodicState is a state of the Periodic Transmission machine (clause 6.4.13).
type PeriodicState uint8

// The states.
const (
	NoPeriodic PeriodicState = iota
	FastPeriodic
	SlowPeriodic
	PeriodicTx
)

// String returns the standard's name.
func (s PeriodicState) String() string {
	return name(s, "NO_PERIODIC", "FAST_PERIODIC", "SLOW_PERIODIC", "PERIODIC_TX")
}

// MuxState is a state of the Mux machine (clause 6.4.15), of either control.
type MuxState uint8

// The states. MuxCollecting and MuxDistributing are those of independent control,
// MuxCollectingDistributing that of coupled control.
const (
	MuxDetached MuxState = iota
	MuxWaiting
	MuxAttached
	MuxCollecting
	MuxDistributing
	MuxCollectingDistributing
)

// String returns the standard's name.
func (s MuxState) String() string {
	return name(s, "DETACHED", "WAITING", "ATTACHED", "COLLECTING", "DISTRIBUTING", "COLLECTING_DISTRIBUTING")
}

// Selected is the Selected variable of a port (clause 6.4.8).
type Selected uint8

// The values.
const (
	Unselected Selected = iota
	Standby
	SelectedPort
)

// String returns the standard's name.
func (s Selected) String() string { return name(s, "UNSELECTED", "STANDBY", "SELECTED") }

// ChurnState is a state of either Churn Detection machine (clause 6.4.17).
type ChurnState uint8

// The states.
const (
	ChurnMonitor ChurnState = iota
	NoChurn
	Churn
)

// String returns the standard's name without its ACTOR_ or PARTNER_.
func (s ChurnState) String() string { return name(s, "CHURN_MONITOR", "NO_CHURN", "CHURN") }

func name[T ~uint8](v T, names ...string) string {
	if int(v) >= len(names) {
		return "?"
	}
	return names[v]
}
