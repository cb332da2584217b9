package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"
)

// ovs is an Open vSwitch of its own in one host: database and switch, both killed by
// process, with their files in a folder of their own.
type ovs struct {
	host      *host
	dir       string
	processes []*exec.Cmd
}

const (
	ovsSchema = "/usr/share/openvswitch/vswitch.ovsschema"
	ovsBridge = "br-bond"
)

// startOVS makes the bond of Open vSwitch over the rig's two ports, in its userspace
// datapath, with the near address on the bridge.
func startOVS(ctx context.Context, r *rig) (*ovs, error) {
	for _, h := range []*host{r.near, r.far} {
		for _, port := range []string{"eth0", "eth1"} {
			if err := h.command(ctx, "ethtool", "-K", port, "tx", "off"); err != nil {
				return nil, err
			}
		}
	}
	v, err := runOVS(ctx, r.near)
	if err != nil {
		return nil, err
	}
	err = errors.Join(
		v.bond(ctx, []string{"eth0", "eth1"}, "bond_mode=active-backup", "other_config:bond-primary=eth0"),
		r.near.command(ctx, "ethtool", "-K", ovsBridge, "tx", "off"),
		r.near.address(ovsBridge, nearAggregate+"/24"), r.near.up(ovsBridge),
	)
	if err != nil {
		v.stop()
	}
	return v, err
}

// bond makes a bond of ports on a bridge of the userspace datapath.
func (v *ovs) bond(ctx context.Context, ports []string, options ...string) error {
	if err := v.vsctl(ctx, "add-br", ovsBridge, "--", "set", "bridge", ovsBridge, "datapath_type=netdev"); err != nil {
		return err
	}
	return v.vsctl(ctx, slices.Concat([]string{"add-bond", ovsBridge, "bond"}, ports, options)...)
}

// runOVS starts database and switch, with nothing in them.
func runOVS(ctx context.Context, h *host) (v *ovs, err error) {
	if !has("ovs-vswitchd") || !has("ovsdb-server") {
		return nil, errors.New("no Open vSwitch is installed here")
	}
	v = &ovs{host: h}
	defer func() {
		if err != nil {
			v.stop()
		}
	}()
	if v.dir, err = os.MkdirTemp("", "yoke-bench-ovs-"); err != nil {
		return v, err
	}
	database := filepath.Join(v.dir, "conf.db")
	if err := h.command(ctx, "ovsdb-tool", "create", database, ovsSchema); err != nil {
		return v, err
	}
	if err := v.start("ovsdb-server", database, "--remote=punix:"+v.socket(), "--unixctl="+filepath.Join(v.dir, "db.ctl")); err != nil {
		return v, err
	}
	if err := waitFile(ctx, v.socket()); err != nil {
		return v, err
	}
	if err := v.vsctl(ctx, "--no-wait", "init"); err != nil {
		return v, err
	}
	return v, v.start("ovs-vswitchd", "unix:"+v.socket(), "--unixctl="+filepath.Join(v.dir, "switch.ctl"))
}

func (v *ovs) socket() string { return filepath.Join(v.dir, "db.sock") }

func (v *ovs) start(name string, args ...string) error {
	cmd := exec.Command(name, append(args, "--log-file="+filepath.Join(v.dir, name+".log"), "-vconsole:off", "--pidfile="+filepath.Join(v.dir, name+".pid"))...)
	cmd.Env = append(os.Environ(), "OVS_RUNDIR="+v.dir, "OVS_LOGDIR="+v.dir)
	if err := v.host.Do(cmd.Start); err != nil {
		return fmt.Errorf("start %s: %w", name, err)
	}
	v.processes = append(v.processes, cmd)
	return nil
}

func (v *ovs) vsctl(ctx context.Context, args ...string) error {
	err := v.host.command(ctx, "ovs-vsctl", append([]string{"--db=unix:" + v.socket(), "--timeout=10"}, args...)...)
	return err
}

func (v *ovs) stop() {
	for _, v0 := range slices.Backward(v.processes) {
		_ = v0.Process.Kill() // it may have ended by itself
		_ = v0.Wait()         // its exit status is that of the kill
	}
	_ = os.RemoveAll(v.dir)
}

// waitFile waits until a file is there, for ten seconds at most.
func waitFile(ctx context.Context, name string) error {
	for end := time.Now().Add(10 * time.Second); ; wait(ctx, 5*time.Millisecond) {
		if _, err := os.Stat(name); err == nil {
			return nil
		}
		if time.Now().After(end) || ctx.Err() != nil {
			return fmt.Errorf("waited 10 s for %s", name)
		}
	}
}
