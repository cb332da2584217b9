package user_test

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/nstest"
)

// vector is one frame and the port that the kernel's bonding driver sent it by, for
// each policy and number of ports.
type vector struct {
	ID    int                       `json:"id"`
	Kind  string                    `json:"kind"`
	Via   string                    `json:"via"`
	Frame string                    `json:"frame"`
	Port  map[string]map[string]int `json:"port"`
}

func vectors(t *testing.T) []vector {
	t.Helper()
	f, err := os.Open("../../policy/testdata/vectors.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var out []vector
	for s := bufio.NewScanner(f); s.Scan(); {
		var v vector
		if err := json.Unmarshal(s.Bytes(), &v); err != nil {
			t.Fatal(err)
		}
		if v.Via == "bond" {
			out = append(out, v)
		}
	}
	return out
}

// TestSamePortAsBonding sends every golden frame into the aggregate's device, tags in
// the frame included.
func TestSamePortAsBonding(t *testing.T) {
	all := vectors(t)
	for _, n := range []int{2, 3, 5, 8} {
		r := newWideRig(t, n)
		fd := packetSocket(t, r.host, "bond0")
		for _, hash := range []agg.HashPolicy{agg.HashLayer2, agg.HashLayer34} {
			plan := r.spread(n, agg.SelectModulo)
			plan.Hash = hash
			r.apply(plan)
			for _, v := range all {
				if got, want := r.portOf(fd, v.Frame), v.Port[hash.String()][fmt.Sprint(n)]; got != want {
					t.Errorf("%v, %d ports, vector %d (%s): port %d, the kernel chose %d", hash, n, v.ID, v.Kind, got, want)
				}
			}
		}
	}
}

// newWideRig has n ports without a switch, and an aggregate that is up and silent.
func newWideRig(t *testing.T, n int) *rig {
	t.Helper()
	nstest.Require(t, "root", "veth")
	r := &rig{t: t, host: nstest.New(t), peer: nstest.New(t), stateDir: t.TempDir()}
	for i := range n {
		r.host.Veth(fmt.Sprintf("p%d", i), r.peer, fmt.Sprintf("q%d", i))
	}
	r.open()
	r.apply(r.spread(n, agg.SelectModulo))
	r.silence("bond0")
	r.host.SetUp("bond0")
	return r
}

// silence keeps IPv6 of the host from sending into a counted device.
func (r *rig) silence(name string) {
	r.host.Do(func() {
		_ = os.WriteFile("/proc/sys/net/ipv6/conf/"+name+"/disable_ipv6", []byte("1"), 0o644) // no IPv6 is silent too
	})
}

// spread has one entry a port.
func (r *rig) spread(n int, how agg.Selector) agg.Plan {
	r.gen++
	plan := agg.Plan{
		Generation: r.gen, Mode: agg.BalanceXOR, Carrier: true, MAC: agg.MAC{2, 0, 0, 0, 0, 1}, MTU: 1500,
		Select: how, Multicast: agg.NoPort,
	}
	for i := range n {
		name := fmt.Sprintf("p%d", i)
		plan.Ports = append(plan.Ports, agg.PlanPort{Name: name, Index: r.host.Index(name), Transmit: true, Receive: true, Order: i})
		plan.Table = append(plan.Table, agg.Choice{First: i, Second: agg.NoPort})
	}
	return plan
}

// portOf sends one frame and returns the port that it left by.
func (r *rig) portOf(fd int, frame string) int {
	r.t.Helper()
	b, err := hex.DecodeString(frame)
	if err != nil {
		r.t.Fatal(err)
	}
	before := r.plane.Sent()
	if _, err := unix.Write(fd, b); err != nil {
		r.t.Fatal(err)
	}
	after := before
	for deadline := time.Now().Add(5 * time.Second); slices.Equal(before, after); after = r.plane.Sent() {
		if time.Now().After(deadline) {
			r.t.Fatalf("frame %s left nowhere: %v", frame, r.facts().Counters)
		}
	}
	for i := range after {
		if after[i] != before[i] {
			return i
		}
	}
	return -1
}

// packetSocket returns a raw socket on an interface.
func packetSocket(t *testing.T, ns *nstest.NS, name string) (fd int) {
	t.Helper()
	err := ns.Run(func() (err error) {
		fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return err
		}
		t.Cleanup(func() { _ = unix.Close(fd) })
		return unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: 0x0300, Ifindex: ns.Index(name)})
	})
	if err != nil {
		t.Fatal(err)
	}
	return fd
}
