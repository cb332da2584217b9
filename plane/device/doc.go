// Package device makes and keeps the aggregate's own device: a veth pair.
//
// The outer end has the aggregate's name; it is what operators configure, and it may
// be moved to another network namespace. The inner end stays with the ports, hidden:
// without IPv6, without ARP, with the largest MTU so that it never drops, and with the
// alias "yoke: inner end of NAME". The carrier of the outer end follows the inner end,
// administratively up or down. The pair outlives the daemon and is found again by its
// inner end, also when the outer end was renamed or moved.
//
// A veth pair needs no device node and no privilege beyond CAP_NET_ADMIN over the
// network namespace, so it works in an unprivileged user namespace.
package device
