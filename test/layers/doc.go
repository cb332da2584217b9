// Package layers puts other devices on top of an aggregate, for every mode and plane:
// with the real programs and real frames it proves traffic, failover and release, and
// holds [docs/planes.md] to what it proved. It has tests only; those with a VLAN run
// where the kernel has VLAN devices, which is in the virtual machine.
//
// [docs/planes.md]: https://github.com/yokelag/yoke/blob/main/docs/planes.md
package layers
