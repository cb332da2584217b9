// Suite measures Yoke beside the bare link: throughput, the cost of a frame, failover,
// and what many aggregates need. `make bench` runs it.
//
// It works in network namespaces of its own and touches no interface of the machine.
// Every figure is paired with the same measurement on a bare veth pair from the same
// run, one after the other, because a machine is not the same from one minute to the
// next; what is reported is the median of the pairs. Results are printed as a table and
// written as JSON.
package main
