// Package ebpf is the plane of tc programs: once they are in place, no frame leaves the
// kernel and forwarding goes on without the daemon.
//
//	     stack                                            stack
//	       |                                                ^
//	bond0  | egress                                         | bond0
//	   [ entry ] ----------- fast path ----------.     (counted by
//	       | chooses an entry of the table and    |      the device)
//	       | marks the frame                      |         ^  ^
//	veth   v                                      |    veth |  | fast path
//	   [ hop ]  ingress of the inner end          |   inner |  |
//	       | to the marked port                   |  egress |  |
//	       v                                      v         |  |
//	   [ guard ] egress of the port          [ guard ]    [ rx ] ingress of a port
//	       |   no carrier: second choice                    ^
//	       v                                                |
//	     cable                                            cable
//
// entry runs at the egress of the aggregate's device, last. It reads the plan, turns the
// frame into an entry of the table and leaves mark, entry, port and priority in the
// control block of the frame. It chooses before the hop because the hop moves a VLAN tag
// out of the frame, and the bonding driver's hash depends on where the tag is.
//
// There are three of entry and of hop: for one port for all, for buckets and moduli of
// layer2 and layer3+4 as well, and for everything (turns, chance, copies, the other hashes,
// classes of frames, queues). An aggregate has the least that its plans have asked for so
// far, and more is loaded before the plan that asks for it is in force: the kernel takes
// some 0.6, 3 and 8 ms for each of the two.
// Turns are counted by each processor for itself. Copies are made behind the hop, where
// the device has counted the frame once.
//
// hop runs at the ingress of the inner end, when the device has counted the frame. It
// restores the priority, which the pair clears, and sends the frame to its port. Where
// entry did not run (the device is in another namespace, a packet socket bypassed it, a
// qdisc used the control block itself) hop chooses; and once more where a qdisc gave the
// frame a queue that a port has (queue_id).
//
// guard runs at the egress of each port, last. Marked frames pass, or go to the second
// choice where the port has no carrier, or where package keepalive has found that nobody
// listens there while no daemon is. Frames without a mark are what the port's own
// stack sends, and are dropped, except control protocols of the link itself. Frames that
// the daemon makes pass beside the guard, by packet sockets that bypass qdiscs.
//
// rx runs at the ingress of each port, first, after packet sockets have seen the frame.
// It hands the frame to the aggregate, or drops it where the port must not receive. A
// standby port to which guard moves frames receives too: peers answer where they heard
// the aggregate last. That ends with the next plan, or when the first port works again.
// Where the device is in another namespace, and the ports have its address, frames appear
// at its outer end at once and spare the backlog queue.
// Control protocols of the link (01:80:c2:00:00:00 to 0f, LLDP, EAPOL, PTP) stay on the
// port, and the aggregate gets a copy.
//
// # Plans
//
// A plan is written whole into one of several slots that no program reads, and put in
// force by one write of the slot's number, so a frame sees the old plan or the new one.
// A slot is free again after an RCU grace period. Settings such as the fast path, the
// blocked state and the selector are part of the plan: switching them loses nothing.
//
// An entry that moves, agg.Choice.Moves, is the one thing that a plan leaves open: the map
// yoke_moves holds which entries have moved, from where and to where, and the first frame after
// a pause moves its entry there, under a lock. Later plans with the same move go on from it. When
// the plan before used the entry last, the daemon writes into yoke_idle once the plan is in
// force; until then a frame counts as one of many. All this costs entries that do not move
// nothing: one that does has a place of no port in the table, and frames that find no port look
// closer.
//
// # Pins
//
// Maps and links are pinned in PinRoot/NETNS/AGGREGATE, where NETNS
// is the inode of the network namespace; a dot of a name is written %2e. Open adopts what
// it finds there and replaces only the programs. The map yoke_layout holds the version of
// the layout; a newer one is refused.
//
// # Counters
//
// Facts.Counters has drop_blocked_tx, drop_blocked_rx, drop_no_plan, drop_no_port,
// drop_standby and drop_own (frames, since the aggregate was made), backlog_drops (of
// the whole machine, since it was started) and guard_opened_ports (how many ports receive
// now because guard moves frames to them). Frames are counted as the kernel hands them
// over: a large segment that the device cuts up later is one.
package ebpf
