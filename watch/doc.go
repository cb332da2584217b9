// Package watch judges whether a port works: carrier with updelay and downdelay now,
// probes later.
//
// A [Watch] is a machine that is stepped: facts and time go in, a [Verdict] with a
// reason and frames to send come out, and the next deadline is told on request. [All]
// and [Any] make one watch of several. [For] makes the watch that a configuration asks
// for.
//
// The package reads no clock, sends nothing and knows no other port: that updelay is
// cut short where no port is up is decided where all ports are seen, in policy.
package watch
