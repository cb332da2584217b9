// Package lacpkernel tests mode 802.3ad with partners that nobody here wrote: the bonding
// driver of the kernel, and teamd on its team driver. It runs in the virtual machine of
// test/vm. These are scenario 76 of lacp/lacptest.
package lacpkernel
