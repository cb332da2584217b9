// Package proc words a status as the bonding driver does in /proc/net/bonding/NAME, line
// for line, for the scripts and exporters that read it.
package proc
