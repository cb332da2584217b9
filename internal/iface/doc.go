// Package iface reads and changes single interfaces: what the netlink library leaves
// out. That is links in another network namespace by its id, the IPv6 address
// generation mode, the interface flags that a user set, and the sysctl files of an
// interface.
//
// Functions act in the network namespace of the calling thread; those that take an nsid
// other than [Here] read from the namespace that has that id there.
package iface
