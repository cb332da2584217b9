package lacpkernel

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/nstest"
	"github.com/yokelag/yoke/test/rig"
)

func TestMain(m *testing.M) { os.Exit(rig.Main(m)) }

// full reports whether the environment asks for the full form, which takes minutes.
func full() bool { return os.Getenv("YOKE_FULL") != "" }

// cables are the ports' names, at both ends.
func cables() []string { return []string{"eth1", "eth2"} }

// partner is who speaks LACP at the other ends of the cables.
type partner interface {
	// up makes its aggregate of the ports, with an address.
	up()
	// device is the name of its aggregate.
	device() string
	// ports tell what it says of each of its ports.
	ports() (map[string]view, error)
}

// view is what a partner says of one port: of itself, of us, and whether the port is used.
type view struct {
	Actor, Partner agg.LACPEnd
	Used           string
}

// settings say how the two are set up, and which is first.
type settings struct {
	plane, rate, active         string // ours
	theirRate                   string
	theirActive, partnerIsFirst bool
}

func fast(plane string) settings {
	return settings{plane: plane, rate: "fast", active: "on", theirRate: "fast", theirActive: true}
}

// host is ours, cabled to a namespace in which the partner is to be.
func host(t *testing.T, plane string, features ...string) *rig.Rig {
	t.Helper()
	switch plane {
	case "ebpf":
		features = append(features, "bpf", "bpffs")
	case "team":
		features = append(features, "team", "bpf")
	}
	r := rig.NewHost(t, features...)
	r.There.Veth("spare1", r.There, "spare2") // as in rig.New
	for _, name := range cables() {
		r.Here.Veth(name, r.There, name)
	}
	return r
}

// meet sets both ends up in their order, and returns when the second began.
func meet(r *rig.Rig, p partner, s settings) (began time.Time) {
	r.T.Helper()
	r.Start()
	ours := func() {
		words := []string{"up", "bond0", "plane=" + s.plane, "mode=802.3ad", "lacp_rate=" + s.rate, "lacp_active=" + s.active}
		r.Must(append(words, cables()...)...)
		r.Here.AddAddr("bond0", rig.HereAddr+"/24")
		r.Here.SetUp("bond0")
	}
	first, second := ours, p.up
	if s.partnerIsFirst {
		first, second = second, first
	}
	first()
	began = time.Now()
	second()
	waitFor(r, func(s agg.Status) bool { return s.Carrying == len(cables()) && s.Plan.InForce }, "all ports to carry")
	return began
}

// carries waits until both ends have so many ports in use, and traffic passes.
func carries(r *rig.Rig, p partner, n int) {
	r.T.Helper()
	waitFor(r, func(s agg.Status) bool { return s.Carrying == n && s.Plan.InForce && s.Device.Carrier == (n > 0) }, fmt.Sprintf("%d ports to carry", n))
	waitUsed(r, p, n)
	if n > 0 {
		r.Here.MustPing(rig.ThereAddr)
	}
}

// distributes is the state bits of a port in use, whatever its rate and whoever begins.
const distributes = 0x3c

func waitUsed(r *rig.Rig, p partner, n int) {
	r.T.Helper()
	wait(r, func() error {
		views, err := p.ports()
		used := 0
		for _, v := range views {
			if v.Actor.State&distributes == distributes {
				used++
			}
		}
		if err == nil && used != n {
			err = fmt.Errorf("it says %+v", views)
		}
		return err
	}, fmt.Sprintf("the partner to use %d ports", n))
}

// agrees compares what both ends say of both ends of every cable.
func agrees(s agg.Status, p partner) error {
	views, err := p.ports()
	if err != nil {
		return err
	}
	for _, port := range s.Ports {
		v, ok := views[port.Name]
		if !ok || port.LACP == nil {
			return fmt.Errorf("%s: LACP here %v, there %v", port.Name, port.LACP, ok)
		}
		for _, end := range []struct {
			what        string
			here, there agg.LACPEnd
		}{{"partner", port.LACP.Partner, v.Actor}, {"actor", port.LACP.Actor, v.Partner}} {
			end.here.Words = end.there.Words // of the same octet
			if fmt.Sprint(end.here) != fmt.Sprint(end.there) {
				return fmt.Errorf("%s: our %s is %+v here, %+v there", port.Name, end.what, end.here, end.there)
			}
		}
	}
	return nil
}

func waitAgreed(r *rig.Rig, p partner) {
	r.T.Helper()
	wait(r, func() error {
		s, err := r.Ask()
		if err == nil {
			err = agrees(s, p)
		}
		return err
	}, "both ends to say the same")
}

// silence loses everything on a cable without a change of carrier, until it is healed.
func silence(r *rig.Rig, port string) (heal func()) {
	r.T.Helper()
	tc := func(words ...string) { r.T.Helper(); nstest.Command(r.T, r.There, "tc", words...) }
	tc("qdisc", "add", "dev", port, "root", "netem", "loss", "100%")
	tc("qdisc", "add", "dev", port, "clsact")
	tc("filter", "add", "dev", port, "ingress", "bpf", "da", "bytecode", "1,6 0 0 2") // every frame is dropped
	return func() {
		r.T.Helper()
		tc("qdisc", "del", "dev", port, "clsact")
		tc("qdisc", "del", "dev", port, "root")
	}
}
