// Package igmp writes the reports by which a host tells that it is a member of IPv4
// multicast groups: version 1 (RFC 1112), 2 (RFC 2236) and 3 (RFC 3376), as Linux sends them.
package igmp
