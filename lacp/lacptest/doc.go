// Package lacptest joins implementations of LACP by wires in virtual time. A [Net] holds
// nodes and wires, delivers frames and deadlines in a fixed order, and checks invariants
// after every step, so that a run is a function of what was asked of it.
package lacptest
