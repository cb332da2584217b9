// Package team controls the kernel's team driver: team devices, their ports and options,
// and what happens to them. It speaks netlink and runs no other program.
//
// [Open] gives a [Kernel], a connection that belongs to the network namespace it was
// opened in. [Kernel.Create] makes a device and [Kernel.Find] takes over one that is
// there, whoever made it; both give a [Device] with a typed method for every option that
// the driver has, and [Device.Get] and [Device.Set] for those it may get.
//
// [Device.Watch] reports changes. The driver marks changed options with a flag that the
// first reader clears for everybody, so this package never looks at the flag: a [Watcher]
// compares values with those it saw last. Two programs may therefore watch and set the
// same device. Where the kernel drops events because nobody read them in time, the
// watcher reads everything again and reports the difference.
//
// The driver demands CAP_NET_ADMIN in the namespace, for reading too. Errors are
// [*Error]; test their causes with errors.Is: unix.EPERM without the privilege,
// [ErrNoDriver] where the kernel has no team driver, [ErrNoOption], [ErrNotTeam].
//
// Package teamtest has a driver in memory for tests of programs that use this package.
package team
