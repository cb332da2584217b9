package lab

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"syscall"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/ethtool"
)

// ovsSchema is where distributions put the database's schema.
const ovsSchema = "/usr/share/openvswitch/vswitch.ovsschema"

// ovsPrograms are what a switch of kind ovs needs.
var ovsPrograms = [...]string{"ovsdb-tool", "ovsdb-server", "ovs-vswitchd", "ovs-vsctl", "ovs-appctl"} //nolint:gochecknoglobals // a constant

// ovs is a switch of kind ovs: an Open vSwitch of the lab's own, with the userspace
// datapath and its own database and directory. Its groups are bonds of mode balance-tcp.
type ovs struct {
	name  string
	space *space
	dir   string
	def   Switch
	// processes end with the lab, also when that is killed.
	processes []*exec.Cmd

	mu   sync.Mutex // one change of the ports at a time
	seen map[string]bool
}

func newOVS(ctx context.Context, name, dir string, def Switch) (*ovs, error) {
	for _, program := range ovsPrograms {
		if _, err := exec.LookPath(program); err != nil {
			return nil, &agg.Problem{Code: "no-program", Object: "switches." + name, Option: "kind", Value: kindOVS,
				Rule:   "needs the program " + program + ", which is not installed",
				Remedy: "`apt-get install openvswitch-switch` on Debian, or kind: lacp, which needs no program"}
		}
	}
	s, err := newSpace(name)
	if err != nil {
		return nil, err
	}
	v := &ovs{name: name, space: s, dir: dir, def: def, seen: map[string]bool{}}
	if err := v.begin(ctx); err != nil {
		v.close()
		return nil, fmt.Errorf("make switch %s: %w", name, err)
	}
	return v, nil
}

// begin starts the database and the switch.
func (v *ovs) begin(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := os.MkdirAll(v.dir, 0o700); err != nil {
		return err
	}
	if err := v.space.do(func() error { beSilent(); return nil }); err != nil {
		return err
	}
	database := filepath.Join(v.dir, "conf.db")
	if _, err := v.run(ctx, "ovsdb-tool", "create", database, ovsSchema); err != nil {
		return err
	}
	if err := v.start("ovsdb-server", database, "--remote=punix:"+v.socket()); err != nil {
		return err
	}
	// The socket is there before the server takes connections.
	err := waitFor(ctx, "the database of Open vSwitch", func() (bool, error) {
		c, err := net.Dial("unix", v.socket())
		if err != nil {
			return false, nil //nolint:nilerr // not yet
		}
		return true, c.Close()
	})
	if err != nil {
		return err
	}
	if err := v.vsctl(ctx, "--no-wait", "init"); err != nil {
		return err
	}
	if err := v.start("ovs-vswitchd", "unix:"+v.socket()); err != nil {
		return err
	}
	return v.vsctl(ctx, "add-br", bridgeDevice, "--", "set", "bridge", bridgeDevice, "datapath_type=netdev")
}

func (v *ovs) socket() string { return filepath.Join(v.dir, "db.sock") }

func (v *ovs) control() string { return filepath.Join(v.dir, "ovs-vswitchd.ctl") }

func (v *ovs) environment() []string {
	return append(os.Environ(), "OVS_RUNDIR="+v.dir, "OVS_LOGDIR="+v.dir)
}

// start runs one of the daemons until the switch is closed.
func (v *ovs) start(program string, args ...string) error {
	at := func(suffix string) string { return filepath.Join(v.dir, program+suffix) }
	cmd := exec.Command(program, append(args, "--log-file="+at(".log"), "-vconsole:off", "--unixctl="+at(".ctl"), "--pidfile="+at(".pid"))...)
	cmd.Env = v.environment()
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	if err := v.space.do(cmd.Start); err != nil {
		return fmt.Errorf("start %s: %w", program, err)
	}
	v.processes = append(v.processes, cmd)
	return nil
}

// run runs one of the tools and returns what it printed.
func (v *ovs) run(ctx context.Context, program string, args ...string) (string, error) {
	var out, errs bytes.Buffer
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = v.environment()
	cmd.Stdout, cmd.Stderr = &out, &errs
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	if err := v.space.do(cmd.Start); err != nil {
		return "", fmt.Errorf("start %s: %w", program, err)
	}
	if err := cmd.Wait(); err != nil {
		return "", fmt.Errorf("%s %v: %w: %s", program, args, err, bytes.TrimSpace(errs.Bytes()))
	}
	return out.String(), nil
}

func (v *ovs) vsctl(ctx context.Context, args ...string) error {
	_, err := v.run(ctx, "ovs-vsctl", append([]string{"--db=unix:" + v.socket(), "--timeout=10"}, args...)...)
	return err
}

func (v *ovs) where() *space { return v.space }

// bare: the userspace datapath does not finish the checksums of others.
func (v *ovs) bare() bool { return true }

func (v *ovs) refresh() {}

func (v *ovs) track(*cable) {}

// attach makes a bond when its last member comes. The switch goes on with a device that is
// gone, even when another one has its name, so one that comes again is made a port anew.
func (v *ovs) attach(device string) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	err := v.space.do(func() error {
		if err := finishChecksums(device); err != nil {
			return err
		}
		return setUp(device)
	})
	if err == nil {
		err = v.addPort(ctx, device)
	}
	if err != nil {
		return fmt.Errorf("attach %s to switch %s: %w", device, v.name, err)
	}
	return nil
}

func (v *ovs) addPort(ctx context.Context, device string) error {
	for _, group := range slices.Sorted(maps.Keys(v.def.Groups)) {
		if !slices.Contains(v.def.Groups[group], device) {
			continue
		}
		if v.seen[device] {
			if err := v.vsctl(ctx, "del-bond-iface", group, device); err != nil {
				return nil //nolint:nilerr // the group is forgotten; regroup takes all members
			}
			return v.vsctl(ctx, "add-bond-iface", group, device)
		}
		v.seen[device] = true
		if !v.whole(group) {
			return nil
		}
		return v.addBond(ctx, group)
	}
	if v.seen[device] {
		if err := v.vsctl(ctx, "del-port", bridgeDevice, device); err != nil {
			return err
		}
	}
	v.seen[device] = true
	return v.vsctl(ctx, "add-port", bridgeDevice, device)
}

// whole reports whether all members of a group are there.
func (v *ovs) whole(group string) bool {
	all := true
	_ = v.space.do(func() error {
		for _, device := range v.def.Groups[group] {
			all = all && deviceIndex(device) != 0
		}
		return nil
	})
	return all
}

// addBond makes the bond of a group. Its flows stay where their hash puts them.
func (v *ovs) addBond(ctx context.Context, group string) error {
	lacp, rate := "active", "slow"
	if v.def.Passive {
		lacp = "passive"
	}
	if v.def.LACPRate != "" {
		rate = v.def.LACPRate
	}
	words := append([]string{"--may-exist", "add-bond", bridgeDevice, group}, v.def.Groups[group]...)
	return v.vsctl(ctx, append(words, "bond_mode=balance-tcp", "lacp="+lacp,
		"other_config:lacp-time="+rate, "other_config:bond-rebalance-interval=0")...)
}

func (v *ovs) regroup(ctx context.Context, group string, known bool) error {
	if known {
		return v.addBond(ctx, group)
	}
	return v.vsctl(ctx, "del-port", bridgeDevice, group)
}

func (v *ovs) show(ctx context.Context) (string, error) {
	return v.run(ctx, "ovs-appctl", "--target="+v.control(), "lacp/show")
}

func (v *ovs) halt() {}

func (v *ovs) close() {
	for _, p := range slices.Backward(v.processes) {
		_ = p.Process.Kill()
		_ = p.Wait() // it was killed
	}
	v.space.close()
}

// finishChecksums makes a device of the calling thread's namespace send whole checksums.
func finishChecksums(device string) error {
	s, err := ethtool.Open()
	if err != nil {
		return err
	}
	defer s.Close()
	if err := s.SetFeature(device, "tx-checksum-ip-generic", false); err != nil {
		return fmt.Errorf("switch the checksum offload of %s off: %w", device, err)
	}
	return nil
}
