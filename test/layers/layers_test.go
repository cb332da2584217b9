package layers

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/nstest"
	"github.com/yokelag/yoke/test/rig"
)

func TestMain(m *testing.M) { os.Exit(rig.Main(m)) }

// patience is how long frames must not pass where the table says that they do not.
const patience = 300 * time.Millisecond

var cables = []string{"eth1", "eth2"}

// Every layer on every mode of every plane: frames pass, they pass when either cable is
// pulled, and the ports are as they were when the aggregate is gone.
func TestLayers(t *testing.T) {
	for _, on := range planes() {
		t.Run(on.name, func(t *testing.T) {
			for _, l := range layers() {
				t.Run(l.name, func(t *testing.T) { onPlane(t, on, l) })
			}
		})
	}
}

func onPlane(t *testing.T, on plane, l layer) {
	s := &site{Rig: rig.New(t, slices.Concat(l.needs, on.needs)...)}
	for _, far := range []string{"far1", "far2"} {
		nstest.Command(t, s.There, "bridge", "link", "set", "dev", far, "isolated", "on")
	}
	if l.far != "br0" {
		nstest.Command(t, s.There, "ip", "link", "add", "link", "br0", "name", l.far, "type", "vlan", "id", "100")
		s.There.SetUp(l.far)
	}
	s.There.AddAddr(l.far, thereAddr+"/24")
	s.Start()
	for _, mode := range modes() {
		t.Run(mode, func(t *testing.T) {
			s.T = t
			s.combination(on, mode, l)
		})
	}
}

// combination proves one cell of the table.
func (s *site) combination(on plane, mode string, l layer) {
	s.T.Helper()
	before := s.ports()
	if mode == "802.3ad" {
		defer s.answer(on)()
	}
	s.Must(slices.Concat([]string{"up", "bond0", "mode=" + mode}, on.options(), cables)...)
	s.waitUsable("eth1", "eth2")
	user := l.build(s)
	if lack(on, mode, l) != "" {
		if user.Ping(thereAddr, patience) == nil {
			s.T.Error("frames pass, and docs/planes.md says they do not")
		}
	} else {
		s.carries(user)
	}
	s.Must("down", "bond0")
	for _, name := range []string{"bond0", "yk-bond0"} {
		if s.Here.Has(name) || user.Has(name) {
			s.T.Errorf("%s is still there", name)
		}
	}
	l.left(s)
	if after := s.ports(); after != before {
		s.T.Errorf("the ports are left as\n%s\nthey were\n%s", after, before)
	}
}

// carries proves traffic and failover.
func (s *site) carries(user *nstest.NS) {
	s.T.Helper()
	s.passes(user)
	for i, far := range []string{"far1", "far2"} {
		s.There.SetDown(far)
		s.waitUsable(cables[1-i])
		s.passes(user)
		s.There.SetUp(far)
		s.waitUsable("eth1", "eth2")
		s.waitForwards(far)
		s.passes(user)
	}
}

// passes proves that every frame arrives, each way. Copies are none of its business.
func (s *site) passes(user *nstest.NS) {
	s.T.Helper()
	const frames = 20
	user.MustPing(thereAddr)
	out := nstest.StartUDP(s.T, user, s.There, guestAddr, thereAddr, 0)
	in := nstest.StartUDP(s.T, s.There, user, thereAddr, guestAddr, 0)
	for _, stream := range []*nstest.Stream{out, in} {
		stream.Send(frames)
		stream.WaitAll()
		stream.Stop()
	}
}

// waitForwards waits until the far end's bridge takes frames from a cable that was pulled:
// it notices some time after the carrier is there.
func (s *site) waitForwards(far string) {
	s.T.Helper()
	if s.answers {
		s.far.WaitCarrying(2)
		far = "bond0"
	}
	nstest.Eventually(s.T, 10*time.Second, func() bool {
		return strings.Contains(nstest.Command(s.T, s.There, "bridge", "link", "show", "dev", far), "state forwarding")
	}, "the bridge to forward from %s", far)
}

// waitUsable waits until exactly these ports work and the plan of that is in force.
func (s *site) waitUsable(want ...string) {
	s.T.Helper()
	s.WaitFor(func(st agg.Status) bool {
		usable := slices.Clone(st.Plan.Order)
		slices.Sort(usable)
		return st.Plan.InForce && slices.Equal(usable, want)
	}, "the usable ports to be "+strings.Join(want, " and "))
}

// ports describes the ports, and what else is here, without their counters.
func (s *site) ports() string {
	s.T.Helper()
	return nstest.Command(s.T, s.Here, "ip", "-d", "addr", "show") + nstest.Command(s.T, s.Here, "tc", "qdisc", "show")
}
