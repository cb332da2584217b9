// Package capture reads and writes what package lacp/trace keeps as files that every
// protocol analyser opens.
//
// [Write] makes a pcapng of a trace: a port is an interface, its LACPDUs and Markers are
// packets with direction, and what is no packet stands in comments as JSON: in the section's the
// configuration and the system at the beginning, in an interface's the state of the port,
// and in a packet's the steps that led to it, with links, ticks and configurations.
//
// [Read] takes such a file, or any other pcap or pcapng of Ethernet, of which it keeps the
// frames of slow protocols.
package capture
