// Package lab builds small networks out of network namespaces, breaks them on a
// timeline, and measures what that costs the traffic.
//
// A lab is one YAML file ([File]): hosts with aggregates, switches, cables, probe
// streams, faults and expectations. [Parse] reads it, [Run] builds it, runs it and
// takes it away again. The same file runs from `yoke lab run`, in a Go test and in a
// virtual machine. [Up] keeps one standing, so that people can look around in it.
//
// Nothing but the daemon's own binary is needed. Hosts are namespaces that threads of
// this process hold, without names, so that a lab also runs as an ordinary user inside
// a user namespace, and so that nothing is left behind when the process ends. Each host
// that has aggregates runs a real yoked, which a fault may kill.
//
// The lab is for tests and for learning: it is not a way to build networks that last.
package lab
