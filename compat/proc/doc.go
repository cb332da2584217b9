// Package proc words a status as the bonding driver does in /proc/net/bonding/NAME, line
// for line, for the scripts and exporters that read it: in every mode of the driver, with
// the blocks of LACP and of ARP probes where the aggregate has such.
package proc
