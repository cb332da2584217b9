// Package afpacket sends whole Ethernet frames out of interfaces, past the queueing
// discipline and tc programs; and it hears and speaks slow protocols on ports, through
// both, so that they keep their place before and behind data.
package afpacket
