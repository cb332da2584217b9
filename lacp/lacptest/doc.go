// Package lacptest joins implementations of LACP by wires in virtual time, and judges
// them by scenarios.
//
// A [Net] holds nodes and wires, delivers frames and deadlines in a fixed order, and
// checks [Invariants] after every step, so that a run is a function of what was asked of
// it.
//
// [Scenarios] are texts: commands, and below each, indented, what happened. [Play] plays
// one with the systems that a [Maker] makes, and returns the text with what happened
// now; an implementation conforms where that is the text it was given, and it fails
// where an expect line is not met. The commands are
//
//	system a ports=2 mac=02:00:00:00:00:01 short=on ...   a system, with Set's words
//	system a slot=300ms, system a style=teamd             one that sends at fixed times, a Peer
//	set a max_links=2 ...                                 another configuration
//	port a1 priority=5 key=7 individual=on ...            the same for one port
//	wire a1 b1 delay=500us                                a cable; its links are down
//	up a1 b1 ..., down a1 ...                             both ends of the cable of a1
//	link a1 up=on speed=1000 duplex=half                  one end only
//	run 10ms                                              time passes; every frame and move
//	skip 60s                                              time passes; sums only
//	lose a1 50% | lose a1 2 | heal a1                     frames that a1 sends: share, or the next
//	twice a1, swap a1                                     the next is doubled, or overtaken
//	say a1 system=.. key=.. port=.. state=DCSGSA sees=us  a LACPDU from nobody's system
//	marker a1 type=1 id=7                                 a Marker from nobody's system
//	raw a1 HEX                                            a frame as it is
//	drain a1, undrain a1
//	fail a1                                               a1's last LACPDU could not be sent
//	stop a, start a                                       a dies, and goes on from its saved state
//	stall a, wake a                                       a has no processor time
//	replay a                                              a's inputs again, a hundred times
//	farm 125 ports=8                                      so many pairs of systems, all up
//	show a1                                               states and the gate
//	expect a1 sends|closed|reason=..|receive=..|mux=..|selected=..|COUNTER=N|COUNTER<=N
//	expect a carrier=up|down sends=N, expect every sends=N
package lacptest
