// Package rtnl tells what the kernel knows of interfaces, fresh and cheaply, and wakes
// those who care when it changes.
//
// One [Listener] serves one network namespace. Kernel events come first: it listens on
// the link and address groups of rtnetlink, and when the kernel says that events were
// lost, it wakes everybody. Behind the events is one poll for all subscribed
// interfaces, because the kernel may hold the event of a lost carrier back for up to a
// second, while the carrier flag itself is true at once.
//
// The poll reads the flag by RTM_GETLINK, not by ioctl: SIOCGIFFLAGS shows the
// operational state, which lags like the events, and ETHTOOL_GLINK calls the driver,
// which may wake the device or ask its PHY.
package rtnl
