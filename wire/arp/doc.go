// Package arp knows ARP over Ethernet and IPv4 (RFC 826) as bytes, and the gratuitous
// request that tells neighbours and switches where an address is now (RFC 5227
// section 3).
package arp
