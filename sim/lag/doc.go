// Package lag plays systems of LACP against each other over wires that lose, double,
// reorder and go deaf one way, while cables are pulled and moved, processes stall, die
// and go on, and configurations change. All of it follows from a seed.
//
// [Play] plays one seed. After every step it judges the systems by what really crossed
// the wires and where the cables really end, which it knows and they do not:
//
//   - a port is in sync, and distributes, only by the word of a partner that is at the
//     other end of its cable, that sees it as it is, and that said so last;
//   - all ports of a system that send belong to one aggregator and end at one system;
//   - no port keeps the record of a partner's port that is heard on another;
//   - three LACPDUs a second and port, and ten over returns of a link;
//   - when the faults stop, both ends of every cable agree, and all that may carry
//     carries, within [Fast] or [Slow].
//
// It may move: it is no library.
package lag
