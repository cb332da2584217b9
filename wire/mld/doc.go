// Package mld writes the reports by which a host tells that it is a member of IPv6
// multicast groups: version 2 (RFC 3810), as Linux sends them.
package mld
