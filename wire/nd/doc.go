// Package nd knows IPv6 neighbour solicitations and advertisements (RFC 4861 sections
// 4.3 and 4.4) as bytes, and the unsolicited advertisement that tells neighbours where
// an address is now (section 7.2.6).
package nd
