package agg

// DriverFacts are what a driver of the kernel that runs the mode by itself makes of an
// aggregate, where Capability.RunsModes says that there is one.
type DriverFacts struct {
	// Carrier is that of the device.
	Carrier bool
	// Active is the port by which frames leave in modes that have one, empty elsewhere.
	Active string
	// Ports are those that the driver has.
	Ports []DriverPort
	// LACP is nil in other modes than 802.3ad.
	LACP *LACPStatus
}

// DriverPort is one port as the driver sees it.
type DriverPort struct {
	Name string
	// Link is the driver's own view of the link, by its own watch.
	Link DriverLink
	// Receives and Sends tell what the driver lets the port do; Reason is a code for that,
	// and Detail the same for people.
	Receives, Sends bool
	Reason, Detail  string
	// LACP is nil in other modes than 802.3ad.
	LACP *PortLACP
}

// DriverLink is a state of a port's link, by the words of the bonding driver.
type DriverLink string

// The states.
const (
	DriverUp    DriverLink = "up"
	DriverFalls DriverLink = "going down"
	DriverDown  DriverLink = "down"
	DriverRises DriverLink = "going back"
)

// Works reports whether the driver sends by such a link.
func (l DriverLink) Works() bool { return l == DriverUp || l == DriverFalls }

// Port finds a port by name.
func (f DriverFacts) Port(name string) (DriverPort, bool) {
	for _, p := range f.Ports {
		if p.Name == name {
			return p, true
		}
	}
	return DriverPort{}, false
}
