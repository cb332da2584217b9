// Package announce holds what the kernel's bonding driver said after failovers, captured on
// the cables, against what Yoke says in the same places. It has tests only, and they need
// root; the VLANs of the captures need a kernel with 802.1Q, as that of the test machine.
package announce
