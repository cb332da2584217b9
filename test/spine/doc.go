// Package spine holds the proofs of what Yoke promises from end to end: the built
// programs yoked and yoke, real interfaces and real frames, in network namespaces of
// each test. It has tests only, and they need root.
//
// One file holds one promise: exact counters, one-way streams over a pulled cable, the
// daemon killed and adopted, everything given back as it was, and refusals.
package spine
