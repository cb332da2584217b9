// Package handover moves the IP configuration of one interface to another and back:
// addresses, routes of all tables, permanent neighbours. It replays the kernel's own
// messages with another interface in them, so what it does not know is kept too. All
// functions act in the network namespace of the calling thread.
package handover
