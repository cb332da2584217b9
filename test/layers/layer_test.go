package layers

import (
	"os/exec"
	"slices"

	"github.com/yokelag/yoke/internal/nstest"
	"github.com/yokelag/yoke/test/rig"
)

// guestAddr is the address of whoever uses the aggregate.
const (
	guestAddr = "198.51.100.1"
	thereAddr = "198.51.100.2"
)

// layer is what stands on an aggregate.
type layer struct {
	name, title string
	// needs are features, as nstest.Require takes them.
	needs []string
	// build puts the layer on bond0 and gives guestAddr to its user, in the namespace that
	// is returned.
	build func(s *site) *nstest.NS
	// far is the interface of the far end that has thereAddr.
	far string
	// left checks and removes what is still there when the aggregate is gone.
	left func(s *site)
}

func layers() []layer {
	nothing := func(*site) {}
	return []layer{
		{"plain", "nothing on top", nil, plain, "br0", nothing},
		{"bridge", "a bridge on top", []string{"bridge"}, bridge, "br0", bridgeStays},
		{"vlan", "a VLAN on top", []string{"vlan"}, vlan, "br0.100", nothing},
		{"moved", "in another namespace", nil, moved, "br0", nothing},
		{"macvlan", "a macvlan on top", []string{"macvlan"}, macvlan, "br0", nothing},
	}
}

func plain(s *site) *nstest.NS {
	s.Here.AddAddr("bond0", guestAddr+"/24")
	s.Here.SetUp("bond0")
	return s.Here
}

// bridge gives the aggregate to a bridge, as for virtual machines; the guest is behind it.
func bridge(s *site) *nstest.NS {
	guest := s.Space()
	s.Here.SetUp("bond0")
	s.Bridge(s.Here, "br1", "bond0")
	s.Here.Veth("tap1", guest, "eth0")
	nstest.Command(s.T, s.Here, "ip", "link", "set", "tap1", "master", "br1")
	guest.AddAddr("eth0", guestAddr+"/24")
	return guest
}

func bridgeStays(s *site) {
	if !s.Here.Has("br1") {
		s.T.Error("the bridge went with the aggregate")
		return
	}
	s.Here.Delete("br1")
	s.Here.Delete("tap1")
}

func vlan(s *site) *nstest.NS {
	s.Here.SetUp("bond0")
	nstest.Command(s.T, s.Here, "ip", "link", "add", "link", "bond0", "name", "bond0.100", "type", "vlan", "id", "100")
	s.Here.AddAddr("bond0.100", guestAddr+"/24")
	s.Here.SetUp("bond0.100")
	return s.Here
}

// moved puts the aggregate into another namespace, which a process holds: without one it
// has no name by which its address and MTU could be changed from outside.
func moved(s *site) *nstest.NS {
	guest := s.Space()
	guest.Start(exec.Command("sleep", "infinity"))
	if err := s.Here.Handle().LinkSetNsFd(s.Here.Link("bond0"), guest.FD()); err != nil {
		s.T.Fatal(err)
	}
	guest.AddAddr("bond0", guestAddr+"/24")
	guest.SetUp("bond0")
	return guest
}

// macvlan gives a container a device of its own on the aggregate.
func macvlan(s *site) *nstest.NS {
	guest := s.Space()
	s.Here.SetUp("bond0")
	nstest.Command(s.T, s.Here, "ip", "link", "add", "link", "bond0", "name", "mv0", "type", "macvlan", "mode", "bridge")
	if err := s.Here.Handle().LinkSetNsFd(s.Here.Link("mv0"), guest.FD()); err != nil {
		s.T.Fatal(err)
	}
	guest.AddAddr("mv0", guestAddr+"/24")
	guest.SetUp("mv0")
	return guest
}

// site is a rig whose far end knows that its two cables belong together: what comes by
// one never leaves by the other.
type site struct {
	*rig.Rig
	// far is a daemon at the far end, where answers says that it joins the two cables: by
	// LACP, and with the bridge on top.
	far     *rig.Rig
	answers bool
}

// answer has the far end speak LACP until end is called.
func (s *site) answer(on plane) (end func()) {
	s.T.Helper()
	if s.far == nil {
		s.far = &rig.Rig{Here: s.There, There: s.Here, Bin: s.Bin, Dir: s.Dir + "/far", Log: &rig.Journal{}}
		s.far.T = s.T
		s.far.Start()
	}
	s.far.T, s.answers = s.T, true
	for _, far := range []string{"far1", "far2"} {
		nstest.Command(s.T, s.There, "ip", "link", "set", far, "nomaster")
	}
	s.far.Must(slices.Concat([]string{"up", "bond0", "mode=802.3ad"}, on.options(), []string{"far1", "far2"})...)
	nstest.Command(s.T, s.There, "ip", "link", "set", "bond0", "master", "br0", "up")
	return func() {
		s.T.Helper()
		s.far.Must("down", "bond0")
		s.answers = false
		for _, far := range []string{"far1", "far2"} {
			s.join(far)
		}
	}
}

// join gives a cable to the far end's bridge.
func (s *site) join(far string) {
	s.T.Helper()
	nstest.Command(s.T, s.There, "ip", "link", "set", far, "master", "br0", "up")
	nstest.Command(s.T, s.There, "bridge", "link", "set", "dev", far, "isolated", "on")
}
