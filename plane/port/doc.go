// Package port takes interfaces as ports of an aggregate, and gives them back exactly
// as they were.
//
// Everything a take changes is written to a journal first, with its original value: the
// address, MTU, flags, IPv6 settings, the VLAN filters, and which network managers were
// told. [Open] undoes a take, and completes a release, that was cut short. A port is
// followed by its ifindex, never by a name that another interface may have got since.
//
// What a take sets lives in the kernel and outlives the daemon: the allmulti flag, not
// a membership of a socket. The group address of slow protocols is joined in the same way,
// where a plan hands them to the daemon ([Keeper.SlowProtocols]).
//
// [Keeper.Check] refuses interfaces that somebody else uses, before anything changes,
// with the command that would free them.
package port
