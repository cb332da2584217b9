// Package bonding drives the kernel's bonding driver over rtnetlink: it reads what a bond
// is and does, and changes its options as one. The package may move: it is no library.
//
// # A change is whole
//
// The driver applies the attributes of one request one after the other, stops at the first
// that it refuses, and leaves what it did. It also changes options nobody named: a mode
// clears arp_validate, miimon clears arp_interval and the other way round, and the three
// delays are kept as numbers of miimon periods. So [Driver.Change] computes what all
// options shall be, checks that against the rules of the driver before it asks, sends one
// option at a time in an order that works, reads back, and sends again what the driver
// moved meanwhile. When the driver refuses one, the way back to what was before goes the
// same way.
//
// # What the kernel can do
//
// The driver ignores attributes that are newer than it. What it can do is read from the
// attributes that it reports; the others, and those that read back unchanged, are refused
// with the Linux version that has them.
package bonding
