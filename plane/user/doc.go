// Package user is the plane that needs nothing but packet sockets: frames are copied in
// Go between AF_PACKET rings on the ports and on the inner end of the aggregate's
// device. It works as an ordinary user inside `unshare -Urn` and where BPF is refused,
// and it is the readable reference that plane ebpf is compared with: the hash is
// policy.Hash and the entry is agg.Plan.Entry.
//
// # The way of a frame
//
// Transmit: the frame leaves the aggregate's device, crosses the veth pair and is put
// into the ring of a packet socket on the inner end. One goroutine reads the ring in
// batches, finds the port of each frame and sends each port's share from the ring's own
// memory with one system call. Receive: the same the other way, one goroutine for the
// rings of all ports.
//
// Frames carry a virtio header, so a 64 KiB segment that the kernel has not cut yet,
// and a checksum that it has not computed yet, pass as they are.
//
// # What is filtered
//
// Packet sockets see a frame before tc does, and frames that this plane sends bypass
// tc. So a classic BPF filter at both tc hooks of a port (which needs no privilege
// beyond CAP_NET_ADMIN over the namespace) keeps the port silent: whatever the port's
// own stack sends or would receive is dropped, except frames to 01:80:c2:00:00:0x,
// LLDP, EAPOL and PTP. Those reach the port's sockets, and the aggregate as a copy.
//
// # VLAN tags
//
// The bonding driver hashes a tag that is in the frame otherwise than one that travels
// beside it, and crossing the veth pair moves the first to the second. A second, small
// socket on the outer end therefore notes frames that leave with the tag in them, and
// the transmitter puts those tags back before it hashes. Where the aggregate's device
// has moved to another network namespace there is no such socket, and every tag counts
// as one beside the frame.
//
// # What it is not
//
// Forwarding stops with the process; a new one adopts the device and the ports and goes
// on. The package may move: it is no library.
package user
