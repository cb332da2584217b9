// Command yoked makes aggregates of network links and looks after them.
//
// It serves the network namespace that it is started in. When it ends, forwarding goes
// on where the plane can; only `yoke down` takes an aggregate apart.
package main
