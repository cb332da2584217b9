// Package ethtool asks network drivers by the ethtool and MII ioctls, in a few
// microseconds each and without allocating: link state, speed, duplex and single
// features.
package ethtool
