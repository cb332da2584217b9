// Package trace keeps what goes into and out of a [lacp.System], plays it again, and tells
// it to people.
//
// A [Ring] is stepped in place of its system and keeps the last inputs, whatever they
// were: frames, links, time, configuration. A [Trace] is what it holds: the system as it
// was, and every step since, so that [Trace.Replay] gives the same frames and transitions
// bit for bit, or says where another release decides otherwise.
//
// [Guess] makes a trace of frames that somebody else captured: it takes one of the systems
// that speak there for ours, and shows what this package would have done in its place.
//
// Package capture reads and writes traces as files.
package trace
