// Package afpacket sends whole Ethernet frames out of interfaces, past the queueing
// discipline and tc programs.
package afpacket
