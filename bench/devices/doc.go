// Command devices measures what could be the aggregate's device: the cost that each
// candidate adds to a frame on its way out and in, with programs that do nothing but
// redirect, and what a flood of broadcast loses on it. The table in docs/planes.md
// comes from it.
//
//	go run ./bench/devices        # as root; makes its own namespaces
//
// Times are the sender's, which also does the receiver's work: 64-byte frames by
// sendmmsg in batches of 64, the thread held on one processor, candidates in turn, the
// median of the runs. In a machine that counts instructions the same program counts
// them (-virtual 2ns).
package main
