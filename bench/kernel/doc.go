// Kernel counts what a frame costs, in instructions, through the kernel's own aggregates
// and through Yoke's, one after the other in one machine, and measures there how long a
// lost carrier and the start of LACP take. `make bench-kernel` builds it and runs it in
// the virtual machine of test/vm, which counts instructions; docs/performance.md tells how
// to read and to repeat what it prints.
//
// It is made for that machine: on another one its figures are of no use, because there a
// nanosecond of the clock is no number of instructions.
package main
