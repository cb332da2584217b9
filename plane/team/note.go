package team

// memory is what is noted beside the plan: the counters that ports had when they joined,
// by ifindex.
type memory struct {
	Base map[int]traffic `json:"base"`
}

// traffic is what a port's device has counted.
type traffic struct {
	TxFrames uint64 `json:"tx_frames"`
	TxBytes  uint64 `json:"tx_bytes"`
	RxFrames uint64 `json:"rx_frames"`
	RxBytes  uint64 `json:"rx_bytes"`
}
