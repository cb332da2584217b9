// Package bootclock reads the boot clock and the identity of the boot it counts.
//
// Nanoseconds of CLOCK_BOOTTIME compare between processes of one boot, go on during
// suspend, and mean nothing in another boot; hence the boot id.
package bootclock
