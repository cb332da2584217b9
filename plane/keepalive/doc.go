// Package keepalive speaks LACP on a port while the daemon does not: two tc programs that
// belong to the port, whatever the plane, and outlive the daemon with it.
//
//	                 aggregate or its plane
//	                    |            ^
//	              frames|            |frames
//	                    v            |
//	[ hold ] egress of the port    [ rx of plane ebpf ]
//	      |                              ^      |
//	      |<--------- our LACPDU ----- [ answer ]      ingress of the port
//	      v                              |
//	    cable                          cable
//
// While [Keeper.Beat] is called, answer does nothing but note when the partner was heard.
// [StaleAfter] its last call, answer sends each LACPDU of the partner back as ours: our
// actor as the daemon set it last, and the partner's own words. It does so
//
//   - at most once in [AnswerGap] and port, so that two of these facing each other fall
//     silent instead of storming;
//   - never to our own system;
//   - only while the partner says what it said when the daemon was there: the same numbers
//     and state (but for what it asks for, and for a sender that has been opened since),
//     and our numbers as its partner's. Anything else ends speaking and sending on the
//     port, at once and until the daemon comes back;
//   - only while the port has not lost its carrier. Where the kernel does not let a program
//     see that, the partner's own state tells, as soon as it has noticed;
//   - for [State.MaxOrphan] after the last beat.
//
// The answer asks for short timeout, so that a partner that spoke every 30 seconds speaks
// every second from then on; nothing is asked for in advance. To be answered in time, a
// partner that times out in three seconds must have been asked for short timeout by the
// daemon, since the program speaks only when spoken to.
//
// hold keeps the aggregate's frames from leaving by a port whose partner was not heard for
// its timeout: 3 s where it knows that we ask for short timeout, else 90 s. Frames are
// dropped, or marked for the guard of plane ebpf, which takes their second choice. Control
// protocols of the link pass. A living daemon judges by itself: hold does nothing then.
//
// # Order
//
// hold stands before the guard, which is last. answer stands behind plane ebpf's rx, which
// leaves the link's control protocols on the port and takes all else away, so data frames
// never reach it, and before the filters of others. Where a program of somebody else runs
// first, answer is put before all by tcx, if the kernel has it. What answer sends is a
// copy: the LACPDU itself goes on as it was, so that a daemon that comes late, or has just begun,
// hears all that was said, and so does everybody else.
//
// # What outlives the daemon
//
// Nothing is pinned: the filters hold programs and maps, and go with the interface. A new
// [Keeper] has maps of its own; [Keeper.Noted] reads those behind a program that is there
// already until [Keeper.Set] replaces it, without a moment between the two.
package keepalive
