// Package planetest is the conformance suite that every plane runs.
//
// [Run] takes a [Harness]: a plane with ports over a world of its own, with a far end
// behind each port where frames can be seen and sent. The suite knows nothing of
// kernels; what it cannot see through the harness it does not ask.
package planetest
