package main

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/yokelag/yoke/internal/netspace"
)

// rig is one candidate in a namespace of its own, with its port's far end in another.
type rig struct {
	near, far *netspace.Space
	parts     parts
	arrived   *ebpf.Map // frames that reached the far end (0) and the device (1)
	closers   []func() error
}

func newRig(c candidate) (r *rig, err error) {
	r = &rig{}
	defer func() {
		if err != nil {
			r.close()
		}
	}()
	r.arrived, err = ebpf.NewMap(&ebpf.MapSpec{Type: ebpf.Array, KeySize: 4, ValueSize: 8, MaxEntries: 2})
	if err != nil {
		return r, fmt.Errorf("make map: %w", err)
	}
	r.closers = append(r.closers, r.arrived.Close)
	if r.near, err = netspace.Create(); err != nil {
		return r, err
	}
	if r.far, err = netspace.Create(); err != nil {
		return r, err
	}
	return r, r.near.Do(func() error { return r.build(c) })
}

func (r *rig) build(c candidate) error {
	if err := noIPv6(); err != nil {
		return err
	}
	port, _, err := pair("p0", "q0")
	if err != nil {
		return err
	}
	far, err := netlink.LinkByName("q0")
	if err != nil {
		return err
	}
	if err := netlink.LinkSetNsFd(far, r.far.FD()); err != nil {
		return err
	}
	if err := r.far.Do(func() error {
		if err := noIPv6(); err != nil {
			return err
		}
		i, err := up("q0")
		if err != nil {
			return err
		}
		return r.attach(i, ingress, r.count(farEnd))
	}); err != nil {
		return err
	}
	if r.parts, err = c.build(port); err != nil {
		return err
	}
	for _, p := range r.parts.redirects {
		if err := r.attach(p.on, p.attach, send(p.to, p.flags)); err != nil {
			return err
		}
	}
	device, err := netlink.LinkByName(r.parts.device)
	if err != nil {
		return err
	}
	return r.attach(device.Attrs().Index, ingress, r.count(onDevice))
}

// noIPv6 keeps the kernel's own chatter out of the measurement.
func noIPv6() error {
	return os.WriteFile("/proc/sys/net/ipv6/conf/default/disable_ipv6", []byte("1"), 0)
}

// Places where frames end, and are counted.
const (
	farEnd = iota
	onDevice
)

// count drops every frame and counts it, so that no loss passes for speed.
func (r *rig) count(place int64) asm.Instructions {
	return asm.Instructions{
		asm.StoreImm(asm.R10, -4, place, asm.Word),
		asm.LoadMapPtr(asm.R1, r.arrived.FD()),
		asm.Mov.Reg(asm.R2, asm.R10),
		asm.Add.Imm(asm.R2, -4),
		asm.FnMapLookupElem.Call(),
		asm.JEq.Imm(asm.R0, 0, "drop"),
		asm.Mov.Imm(asm.R1, 1),
		asm.AddAtomic.Mem(asm.R0, asm.R1, asm.DWord, 0),
		asm.Mov.Imm(asm.R0, 2 /* TC_ACT_SHOT */).WithSymbol("drop"),
		asm.Return(),
	}
}

func send(to int, flags uint64) asm.Instructions {
	return asm.Instructions{
		asm.Mov.Imm(asm.R1, int32(to)),
		asm.Mov.Imm(asm.R2, int32(flags)),
		asm.FnRedirect.Call(),
		asm.Return(),
	}
}

// attach uses clsact, which kernels without tcx have too.
func (r *rig) attach(ifindex int, parent uint32, code asm.Instructions) error {
	prog, err := ebpf.NewProgram(&ebpf.ProgramSpec{Type: ebpf.SchedCLS, Instructions: code, License: "GPL"})
	if err != nil {
		return fmt.Errorf("load program: %w", err)
	}
	r.closers = append(r.closers, prog.Close)
	qdisc := &netlink.GenericQdisc{QdiscType: "clsact", QdiscAttrs: netlink.QdiscAttrs{
		LinkIndex: ifindex, Handle: netlink.MakeHandle(0xffff, 0), Parent: netlink.HANDLE_CLSACT,
	}}
	if err := netlink.QdiscAdd(qdisc); err != nil && !errors.Is(err, unix.EEXIST) {
		return fmt.Errorf("add clsact: %w", err)
	}
	filter := &netlink.BpfFilter{
		FilterAttrs: netlink.FilterAttrs{LinkIndex: ifindex, Parent: parent, Protocol: unix.ETH_P_ALL, Priority: 1},
		Fd:          prog.FD(), Name: "devices", DirectAction: true,
	}
	if err := netlink.FilterAdd(filter); err != nil {
		return fmt.Errorf("attach program: %w", err)
	}
	return nil
}

func (r *rig) close() {
	for _, c := range r.closers {
		_ = c() // the namespaces end with the rig and take everything with them
	}
	for _, s := range []*netspace.Space{r.near, r.far} {
		if s != nil {
			_ = s.Close()
		}
	}
}

// result is what one run measured: the cost of a frame in nanoseconds, and how much of
// a flood of broadcast was lost, in per cent.
type result struct{ out, in, broadcast, lost float64 }

func (r *rig) run(frames int) (m result, err error) {
	if m.out, err = r.whole(r.near, r.parts.device, frames, farEnd); err != nil {
		return m, fmt.Errorf("out: %w", err)
	}
	if m.in, err = r.whole(r.far, "q0", frames, onDevice); err != nil {
		return m, fmt.Errorf("in: %w", err)
	}
	m.broadcast, m.lost, err = r.stream(r.far, "q0", frame(true), frames/4, onDevice)
	return m, err
}

// whole is a stream of unicast of which nothing may be lost.
func (r *rig) whole(from *netspace.Space, device string, frames int, to uint32) (float64, error) {
	cost, lost, err := r.stream(from, device, frame(false), frames, to)
	if err == nil && lost > 0 {
		err = fmt.Errorf("lost %.1f %%", lost)
	}
	return cost, err
}

// stream sends from a device and returns nanoseconds a frame, and the part in per cent
// that did not arrive.
func (r *rig) stream(from *netspace.Space, device string, frame []byte, frames int, to uint32) (cost, lost float64, err error) {
	before, err := r.count64(to)
	if err != nil {
		return 0, 0, err
	}
	if err = from.Do(func() (err error) { cost, err = timed(device, frame, frames); return err }); err != nil {
		return cost, 0, err
	}
	time.Sleep(100 * time.Millisecond) // a work queue may still be delivering
	after, err := r.count64(to)
	return cost, 100 * (1 - float64(after-before)/float64(frames+warmUp)), err
}

func (r *rig) count64(place uint32) (n uint64, err error) {
	if err = r.arrived.Lookup(place, &n); err != nil {
		err = fmt.Errorf("read counter: %w", err)
	}
	return n, err
}

// frame is 64 bytes of an Ethernet type for local experiments.
func frame(broadcast bool) []byte {
	f := make([]byte, 64)
	copy(f, []byte{2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x88, 0xb5})
	if broadcast {
		copy(f, []byte{255, 255, 255, 255, 255, 255})
	}
	return f
}

const warmUp = 20 * batch // caches of the first frames

// timed sends frames on a device and returns nanoseconds a frame.
func timed(device string, frame []byte, frames int) (float64, error) {
	s, err := newSender(device, frame)
	if err != nil {
		return 0, err
	}
	defer unix.Close(s.fd)
	if err := s.send(warmUp); err != nil {
		return 0, err
	}
	start := time.Now()
	err = s.send(frames)
	return float64(time.Since(start).Nanoseconds()) / float64(frames), err
}
