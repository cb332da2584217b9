// Package lacp tests mode 802.3ad by real frames: two yoked, each in a network namespace,
// joined by cables, and Open vSwitch as a partner that nobody here wrote.
package lacp
