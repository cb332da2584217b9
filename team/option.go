package team

import (
	"fmt"
	"slices"
)

// Key names one instance of an option: a device has one of most, one for each port of
// others, and one for each index of an array.
type Key struct {
	Name string
	// Port is the ifindex of a port where the option is a port's, 0 where the device's.
	Port int
	// Array tells that the option is an array's element, and Index which.
	Array bool
	Index int
}

// On is the key of a port's option.
func On(name string, port int) Key { return Key{Name: name, Port: port} }

// At is the key of an array's element.
func At(name string, index int) Key { return Key{Name: name, Array: true, Index: index} }

// String writes the key for people.
func (k Key) String() string {
	s := k.Name
	if k.Array {
		s = fmt.Sprintf("%s[%d]", s, k.Index)
	}
	if k.Port != 0 {
		s = fmt.Sprintf("%s of port %d", s, k.Port)
	}
	return s
}

// Option is an option with its value. In a report of changes, Removed says that the
// option is gone, with its port or its mode.
type Option struct {
	Key
	Value   Value
	Removed bool
}

// Port is a port of a device, as the driver reports it.
type Port struct {
	// Index is the ifindex.
	Index int
	// Link is the driver's view of the port's operational state; user_linkup is not in it.
	Link bool
	// Speed is in Mb/s as of the last change of the link: 0 while it is down, and the
	// highest number where the port has none.
	Speed uint32
	// FullDuplex is false also where duplex is unknown.
	FullDuplex bool
	// Removed says that the port is gone, in a report of changes.
	Removed bool
}

// Names of the driver's options. The last seven exist in the modes they are for only.
const (
	OptMode               = "mode"
	OptNotifyPeersCount   = "notify_peers_count"
	OptNotifyPeersPeriod  = "notify_peers_interval"
	OptMcastRejoinCount   = "mcast_rejoin_count"
	OptMcastRejoinPeriod  = "mcast_rejoin_interval"
	OptEnabled            = "enabled"
	OptUserLinkup         = "user_linkup"
	OptUserLinkupEnabled  = "user_linkup_enabled"
	OptPriority           = "priority"
	OptQueueID            = "queue_id"
	OptActivePort         = "activeport"
	OptHashFunction       = "bpf_hash_func"
	OptTxMethod           = "lb_tx_method"
	OptHashToPort         = "lb_tx_hash_to_port_mapping"
	OptHashStats          = "lb_hash_stats"
	OptPortStats          = "lb_port_stats"
	OptStatsRefreshPeriod = "lb_stats_refresh_interval"
)

// The modes of the driver. A new device has ModeNone and drops every frame.
const (
	ModeNone         = "*NOMODE*"
	ModeBroadcast    = "broadcast"
	ModeRoundRobin   = "roundrobin"
	ModeRandom       = "random"
	ModeActiveBackup = "activebackup"
	ModeLoadBalance  = "loadbalance"
)

// Values of lb_tx_method.
const (
	MethodHash    = "hash"
	MethodMapping = "hash_to_port_mapping"
)

// Hashes is how many hashes mode loadbalance tells apart.
const Hashes = 256

// Options are those of one device, read at one time.
type Options []Option

// Find returns the value of an option.
func (o Options) Find(k Key) (Value, bool) {
	i := slices.IndexFunc(o, func(x Option) bool { return x.Key == k })
	if i < 0 {
		return Value{}, false
	}
	return o[i].Value, true
}
