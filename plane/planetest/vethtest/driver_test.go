package vethtest_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"

	"github.com/vishvananda/netlink"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/nstest"
	"github.com/yokelag/yoke/plane/planetest"
	"github.com/yokelag/yoke/plane/planetest/vethtest"
	"github.com/yokelag/yoke/policy"
)

// driver is the kernel's own bonding driver in the place of a plane: Apply sets no more
// than the hash policy, since its hash is always modulo the ports in their order.
type driver struct{ name string }

// openDriver makes a bond in balance-xor of all ports that the namespace has.
func openDriver(_ context.Context, s vethtest.Setup) (planetest.Plane, error) {
	attrs := netlink.NewLinkAttrs()
	attrs.Name = s.Name
	bond := netlink.NewLinkBond(attrs)
	bond.Mode, bond.Miimon = netlink.BOND_MODE_BALANCE_XOR, 10
	if err := netlink.LinkAdd(bond); err != nil {
		return nil, fmt.Errorf("make a bond: %w", err)
	}
	for i := 0; ; i++ {
		port, err := netlink.LinkByName(portName(i))
		if absent := (netlink.LinkNotFoundError{}); errors.As(err, &absent) {
			break
		}
		if err == nil {
			err = errors.Join(netlink.LinkSetDown(port), netlink.LinkSetMaster(port, bond))
		}
		if err != nil {
			return nil, fmt.Errorf("make %s a port of the bond: %w", portName(i), err)
		}
	}
	return driver{s.Name}, nil
}

func (d driver) Capability() agg.Capability {
	return agg.Capability{Hashes: []agg.HashPolicy{
		agg.HashLayer2, agg.HashLayer34, agg.HashLayer23, agg.HashEncap23, agg.HashEncap34, agg.HashVLANSrcMAC,
	}}
}

func (d driver) Apply(_ context.Context, p agg.Plan) error {
	if p.Hash.Kind() == agg.HashFields || p.Select != agg.SelectModulo {
		return fmt.Errorf("the driver has no %v of %v", p.Select, p.Hash)
	}
	attrs := netlink.NewLinkAttrs()
	attrs.Name = d.name
	change := netlink.NewLinkBond(attrs)
	change.XmitHashPolicy = netlink.BondXmitHashPolicy(p.Hash)
	return netlink.LinkModify(change)
}

func (d driver) Observe(context.Context) (agg.Facts, error) { return agg.Facts{}, nil }

func (d driver) Close() error { return nil }

func (d driver) Destroy(context.Context) error {
	link, err := netlink.LinkByName(d.name)
	if err != nil {
		return err
	}
	return netlink.LinkDel(link)
}

// exception is a rule by which the driver chooses otherwise than the reference, and what
// it then hashes.
type exception struct {
	rule string
	of   func(agg.HashPolicy, []byte) bool
	hash func([]byte) uint32
}

// exceptions are all there are: the driver reads what a packet socket noted beside the
// frame, and the planes read the frame.
func exceptions() []exception {
	return []exception{{
		rule: "encap2+3 and encap3+4 of a tag in the frame, sent by a packet socket: the socket notes what is behind the tag as the network header, the kernel's dissector looks for the tag there, gives up, and layer2 is left",
		of: func(h agg.HashPolicy, frame []byte) bool {
			kind := binary.BigEndian.Uint16(frame[12:])
			return (h == agg.HashEncap23 || h == agg.HashEncap34) && (kind == 0x8100 || kind == 0x88a8)
		},
		hash: func(frame []byte) uint32 { return policy.Hash(agg.HashLayer2, frame, policy.Tag{}) },
	}}
}

// excuse is the exception by which the driver chose this port of its own, nil for none.
func excuse(hash agg.HashPolicy, frame []byte, port int) *exception {
	for _, e := range exceptions() {
		if e.of(hash, frame) && int(e.hash(frame)%driverPorts) == port {
			return &e
		}
	}
	return nil
}

// driverPorts is prime, so that every bit of a hash decides.
const driverPorts = 5

// TestDriverChoosesAsThePlanes sends generated frames by the kernel's bonding driver, in
// each of its hash policies, and compares the port of each with that of the reference and
// of the planes under modulo. DRIVER_FRAMES says how many for each policy, instead of
// 2000; 20000 take some five minutes in the virtual machine.
func TestDriverChoosesAsThePlanes(t *testing.T) {
	nstest.Require(t, "root", "veth", "bonding")
	count := 2000
	if text := os.Getenv("DRIVER_FRAMES"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			t.Fatal(err)
		}
		count = n
	}
	random := rand.New(rand.NewPCG(6, 8023))
	frames := make([][]byte, count)
	for i := range frames {
		frames[i] = anyFrame(random, uint32(i))
	}
	policies := driver{}.Capability().Hashes
	bond := map[agg.HashPolicy][]int{}
	h, plane, plan := newSpread(t, openDriver, driverPorts)
	for _, hash := range policies {
		bond[hash] = choices(t, h, plane, plan, hash, frames)
		agreeing(t, "the reference", hash, frames, bond[hash], referenceChoices(hash, frames))
	}
	forEachPlane(t, func(t *testing.T, open vethtest.Opener) {
		h, plane, plan := newSpread(t, open, driverPorts)
		for _, hash := range plane.Capability().Hashes {
			if of, ok := bond[hash]; ok {
				plan.Generation++
				agreeing(t, "the plane", hash, frames, of, choices(t, h, plane, plan, hash, frames))
			}
		}
	})
}

// choices is the port by which each frame left, by number.
func choices(t *testing.T, h planetest.Harness, plane planetest.Plane, plan agg.Plan, hash agg.HashPolicy, frames [][]byte) []int {
	t.Helper()
	plan.Hash, plan.Select, plan.Table = hash, agg.SelectModulo, table(agg.SelectModulo, driverPorts)
	if err := plane.Apply(t.Context(), plan); err != nil {
		t.Fatal(err)
	}
	out := make([]int, len(frames))
	left := make([]int, len(frames)) // the frames that are not answered yet
	for i := range left {
		left[i] = i
	}
	for try := 0; len(left) > 0; try++ {
		if try == 5 {
			t.Fatalf("%v: %d frames were lost, one is\n%x", hash, len(left), frames[left[0]])
		}
		send := make([][]byte, len(left))
		for i, at := range left {
			send[i] = frames[at]
		}
		var lost []int
		for i, ports := range h.Send(t, send) {
			switch {
			case len(ports) == 0:
				lost = append(lost, left[i])
			case len(ports) > 1:
				t.Fatalf("%v: frame %x left by %v", hash, send[i], ports)
			default:
				out[left[i]] = slices.IndexFunc(plan.Ports, func(p agg.PlanPort) bool { return p.Name == ports[0] })
			}
		}
		left = lost
	}
	return out
}

func referenceChoices(hash agg.HashPolicy, frames [][]byte) []int {
	out := make([]int, len(frames))
	for i, f := range frames {
		out[i] = int(policy.Hash(hash, f, policy.Tag{}) % driverPorts)
	}
	return out
}

// agreeing compares choices frame by frame; what an exception allows is counted.
func agreeing(t *testing.T, who string, hash agg.HashPolicy, frames [][]byte, bond, ours []int) {
	t.Helper()
	excused, wrong := map[string]int{}, 0
	for i := range frames {
		if ours[i] == bond[i] {
			continue
		}
		if e := excuse(hash, frames[i], bond[i]); e != nil {
			excused[e.rule]++
		} else if wrong++; wrong <= 5 {
			t.Errorf("%v: frame %d left by port %d of %s, the driver chose %d\n%x", hash, i, ours[i], who, bond[i], frames[i])
		}
	}
	t.Logf("%v: %s chose as the driver for %d of %d frames", hash, who, len(frames)-wrong-sum(excused), len(frames))
	for rule, n := range excused {
		t.Logf("%v: %d by the exception %s", hash, n, rule)
	}
}

func sum(counts map[string]int) (n int) {
	for _, c := range counts {
		n += c
	}
	return n
}
