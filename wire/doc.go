// Package wire knows frames as bytes: Ethernet with VLAN tags, IPv4, IPv6, and the
// headers of TCP, UDP and ICMP as far as the ports. It parses, appends and compares,
// and knows no socket, time or policy.
//
// Every header type has a Parse function that returns the header and what follows it,
// and an AppendTo method that is its inverse. Parse never allocates; a header that
// cannot be read gives a [Drop], which names the reason and serves as a metric label.
//
// Sub-packages hold the protocols that the daemon speaks itself: wire/arp and wire/nd,
// wire/igmp and wire/mld, and wire/slow.
//
// A [Flow] makes whole frames for tests, for the lab and for explanations.
package wire
