// Package selftests holds scenarios that the kernel's own tests of its bonding driver are
// about, as tables of words in testdata, and runs each against the driver itself, which
// proves the scenario, and against each plane by the real programs.
//
// A file holds scenarios; each begins with "==" and its title, and has a line for each step:
//
//	modes   MODE...            the modes in which it runs, each from the beginning
//	only    SUBJECT... : WHY   subjects that it is about: driver, ebpf, user, team, bonding
//	up      OPTION... PORT...  make bond0, with 192.0.2.1; a port may have options: eth2,prio=5
//	set     OPTION...          change options of bond0, or of a port: eth2,prio=5
//	cut     PORT               pull its cable, and wait until the subject has noticed
//	mend    PORT               put it back, and wait until the port works again
//	rising  PORT               put it back, and wait until the port waits for its updelay
//	active  PORT               wait until it is the active port
//	stays   PORT               it is the active port now
//	reach                      the peer answers
//	carrier on|off             wait until the device has carrier, or none
//	listen                     what the peer hears counts from here
//	garps   PORT N             it hears exactly N gratuitous ARPs by the port
//	lacp    none PORT...       it hears no LACPDU by the ports
//	lacp    passive PORT...    it hears some, and none of an active end
//	quiet   PORT               wait until it has heard no LACPDU by the port for two seconds
//	partner PORT on|off        the peer speaks LACP by the port, or falls silent
//	macvlan NAME [ADDRESS]     put a macvlan with an Ethernet address on bond0, in a namespace
//	                           of its own with an IP address
//	delete  NAME               remove a macvlan
//	between FROM TO            one macvlan, or "peer", or "bond0", reaches another
//	hears   PORT ADDRESS       wait until the port accepts frames to the address
//	deaf    PORT ADDRESS       wait until it does not any more
//	join    GROUP              bond0 joins a multicast group
//	leave   GROUP              bond0 leaves it
//	down                       remove bond0, which also happens in the end
package selftests
