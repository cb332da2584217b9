// Command yoke asks yoked to make, change, explain and take apart aggregates.
//
// It is a client of package control and links neither eBPF nor netlink: what needs the
// kernel (lab, demo, and status where no daemon runs) it hands to the yoked beside it,
// or else the one in PATH.
package main
