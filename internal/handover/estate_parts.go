package handover

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"github.com/yokelag/yoke/internal/iface"
)

// readQdisc keeps the root qdisc, where it is one without classes.
func (e *Estate) readQdisc() (lost []string, err error) {
	messages, err := dump(unix.RTM_GETQDISC, &nl.TcMsg{Family: nl.FAMILY_ALL, Ifindex: int32(e.Index)}, unix.RTM_NEWQDISC)
	if err != nil {
		return nil, err
	}
	for _, m := range messages {
		if len(m) < sizeofTcMsg {
			continue
		}
		head := nl.DeserializeTcMsg(m)
		kind, _ := attribute(m[sizeofTcMsg:], nl.TCA_KIND)
		name := nl.BytesToString(kind)
		switch {
		case int(head.Ifindex) != e.Index:
		case name == "clsact" || name == "ingress":
			lost = append(lost, e.filters()...)
		case head.Parent != netlink.HANDLE_ROOT:
			lost = append(lost, fmt.Sprintf("the qdisc %s below another one of %s", name, e.Name))
		case head.Handle == 0: // one that the kernel chose by itself
		default:
			e.qdisc = m
		}
	}
	if e.qdisc == nil {
		return lost, nil
	}
	kind, _ := attribute(e.qdisc[sizeofTcMsg:], nl.TCA_KIND)
	if name := nl.BytesToString(kind); slices.Contains([]string{"htb", "hfsc", "drr", "qfq", "cbq", "ets"}, name) {
		lost = append(lost, fmt.Sprintf("the classes of the qdisc %s of %s", name, e.Name))
	}
	filters, err := netlink.FilterList(e.at(), nl.DeserializeTcMsg(e.qdisc).Handle)
	if err == nil && len(filters) > 0 { // most take none, which is an error
		lost = append(lost, "the filters of the qdisc of "+e.Name)
	}
	return lost, nil
}

// sizeofTcMsg is the size of struct tcmsg.
const sizeofTcMsg = 20

func (e *Estate) at() netlink.Link {
	return &netlink.Device{LinkAttrs: netlink.LinkAttrs{Index: e.Index}}
}

// filters names the filters of others at the interface's hooks.
func (e *Estate) filters() (lost []string) {
	for where, parent := range map[string]uint32{"ingress": netlink.HANDLE_MIN_INGRESS, "egress": netlink.HANDLE_MIN_EGRESS} {
		list, err := netlink.FilterList(e.at(), parent)
		if err != nil {
			continue
		}
		for _, f := range list {
			if b, ok := f.(*netlink.BpfFilter); ok && strings.HasPrefix(b.Name, "yoke") {
				continue
			}
			lost = append(lost, fmt.Sprintf("a %s filter at the %s of %s", f.Type(), where, e.Name))
		}
	}
	return lost
}

func (e *Estate) giveQdisc() error {
	if e.qdisc == nil {
		return nil
	}
	head := nl.DeserializeTcMsg(e.qdisc)
	head.Info = 0 // how many refer to it
	req := nl.NewNetlinkRequest(unix.RTM_NEWQDISC, unix.NLM_F_ACK|unix.NLM_F_CREATE|unix.NLM_F_REPLACE)
	req.AddData(head)
	for _, kind := range []uint16{nl.TCA_KIND, nl.TCA_OPTIONS} {
		if v, ok := attribute(e.qdisc[sizeofTcMsg:], kind); ok {
			req.AddData(nl.NewRtAttr(int(kind), v))
		}
	}
	if _, err := req.Execute(unix.NETLINK_ROUTE, 0); err != nil {
		return fmt.Errorf("qdisc: %w", err)
	}
	return nil
}

// masterKind is the kind of the interface's master, empty where it has none.
func (e *Estate) masterKind() string {
	if e.link.MasterIndex == 0 {
		return ""
	}
	m, err := iface.ByIndex(e.link.MasterIndex, iface.Here)
	if err != nil {
		return "?"
	}
	return m.Kind
}

// readMaster keeps the membership of a bridge or a VRF.
func (e *Estate) readMaster() (lost []string, err error) {
	switch kind := e.masterKind(); kind {
	case "":
		return nil, nil
	case "vrf":
		return nil, nil
	case "bridge":
	default:
		return []string{fmt.Sprintf("the membership of %s in a %s", e.Name, kind)}, nil
	}
	info, _ := attribute(e.message[unix.SizeofIfInfomsg:], unix.IFLA_LINKINFO)
	if data, ok := attribute(info, infoSlaveData); ok {
		for _, a := range attributes(data) {
			if settable(a.kind) {
				e.masterData = append(e.masterData, nl.NewRtAttr(int(a.kind), a.value).Serialize()...)
			}
		}
	}
	if lost, err = e.readForwarding(); err != nil {
		return nil, err
	}
	return lost, e.readBridgeVLANs()
}

const infoSlaveData = 5 // IFLA_INFO_SLAVE_DATA of linux/if_link.h

// settable reports whether an attribute of a bridge's port (IFLA_BRPORT_*) is a setting:
// the others are what the bridge tells of it, and its state the bridge finds anew.
func settable(kind uint16) bool {
	switch kind {
	case 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 25, 27, 28, 29, 30, 31, 32, 33:
		return true
	default:
		return false
	}
}

// readForwarding names the entries that somebody gave the bridge for this port.
func (e *Estate) readForwarding() (lost []string, err error) {
	list, err := netlink.NeighList(e.Index, unix.AF_BRIDGE)
	if err != nil {
		return nil, err
	}
	for _, n := range list {
		own := bytes.Equal(n.HardwareAddr, e.link.HardwareAddr)
		if n.Flags&unix.NTF_MASTER != 0 && n.State&(netlink.NUD_PERMANENT|netlink.NUD_NOARP) != 0 && !own && n.HardwareAddr[0]&1 == 0 {
			lost = append(lost, fmt.Sprintf("the entry %s of the bridge for %s", n.HardwareAddr, e.Name))
		}
	}
	return lost, nil
}

// readBridgeVLANs keeps the VLANs of the port, each an IFLA_BRIDGE_VLAN_INFO.
func (e *Estate) readBridgeVLANs() error {
	all, err := netlink.BridgeVlanList()
	if err != nil {
		return err
	}
	for _, v := range all[int32(e.Index)] {
		b := binary.NativeEndian.AppendUint16(nil, v.Flags)
		e.vlans = append(e.vlans, binary.NativeEndian.AppendUint16(b, v.Vid))
	}
	return nil
}

func (e *Estate) giveMaster() error {
	if e.link.MasterIndex == 0 {
		return nil
	}
	if err := netlink.LinkSetMasterByIndex(e.at(), e.link.MasterIndex); err != nil {
		return fmt.Errorf("master: %w", err)
	}
	if e.masterData == nil {
		return nil
	}
	req := nl.NewNetlinkRequest(unix.RTM_NEWLINK, unix.NLM_F_ACK)
	head := nl.NewIfInfomsg(unix.AF_UNSPEC)
	head.Index = int32(e.Index)
	req.AddData(head)
	info := nl.NewRtAttr(unix.IFLA_LINKINFO, nil)
	info.AddRtAttr(nl.IFLA_INFO_SLAVE_KIND, nl.NonZeroTerminated("bridge"))
	info.AddRtAttr(infoSlaveData, e.masterData)
	req.AddData(info)
	if _, err := req.Execute(unix.NETLINK_ROUTE, 0); err != nil {
		return fmt.Errorf("settings of the bridge's port: %w", err)
	}
	return e.giveBridgeVLANs()
}

// giveBridgeVLANs makes the port's VLANs those that it had: a new one has the bridge's own.
func (e *Estate) giveBridgeVLANs() error {
	now := Estate{Holding: Holding{Index: e.Index}}
	if err := now.readBridgeVLANs(); err != nil {
		return err
	}
	var errs []error
	for _, v := range now.vlans {
		errs = append(errs, e.bridgeVLAN(unix.RTM_DELLINK, v))
	}
	for _, v := range e.vlans {
		errs = append(errs, e.bridgeVLAN(unix.RTM_SETLINK, v))
	}
	return errors.Join(errs...)
}

func (e *Estate) bridgeVLAN(kind int, info []byte) error {
	req := nl.NewNetlinkRequest(kind, unix.NLM_F_ACK)
	head := nl.NewIfInfomsg(unix.AF_BRIDGE)
	head.Index = int32(e.Index)
	req.AddData(head)
	spec := nl.NewRtAttr(unix.IFLA_AF_SPEC, nil)
	spec.AddRtAttr(nl.IFLA_BRIDGE_VLAN_INFO, info)
	req.AddData(spec)
	if _, err := req.Execute(unix.NETLINK_ROUTE, 0); err != nil {
		return fmt.Errorf("VLAN %d of the bridge's port: %w", binary.NativeEndian.Uint16(info[2:]), err)
	}
	return nil
}

// readGroups names the multicast groups that programs have joined: their sockets know the
// interface that was, and nobody can join again for them.
func (e *Estate) readGroups() (lost []string, err error) {
	for _, g := range groups4(readFile("/proc/thread-self/net/igmp"), e.Index) {
		if g != netip.AddrFrom4([4]byte{224, 0, 0, 1}) {
			lost = append(lost, fmt.Sprintf("the membership of a program in %s by %s", g, e.Name))
		}
	}
	for _, g := range groups6(readFile("/proc/thread-self/net/igmp6"), e.Index) {
		if !kernelGroup(g) {
			lost = append(lost, fmt.Sprintf("the membership of a program in %s by %s", g, e.Name))
		}
	}
	return lost, nil
}

// kernelGroup reports whether the kernel joins an IPv6 group by itself: all nodes, all
// routers, and those of its own addresses.
func kernelGroup(g netip.Addr) bool {
	b := g.As16()
	solicited := netip.MustParsePrefix("ff02::1:ff00:0/104")
	return solicited.Contains(g) || bytes.Equal(b[2:15], make([]byte, 13)) && (b[15] == 1 || b[15] == 2)
}

// groups6 reads /proc/net/igmp6: a line for each group, with number and name of the
// interface before it.
func groups6(text string, index int) (out []netip.Addr) {
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		if len(words) < 3 || words[0] != strconv.Itoa(index) {
			continue
		}
		if b, err := hex.DecodeString(words[2]); err == nil && len(b) == 16 {
			out = append(out, netip.AddrFrom16([16]byte(b)))
		}
	}
	return out
}

func readFile(path string) string {
	b, _ := os.ReadFile(path) // absent: empty
	return string(b)
}

// groups4 reads /proc/net/igmp: a line for each interface, and behind it one for each of
// its groups, which begins with the address as a number of this host.
func groups4(text string, index int) (out []netip.Addr) {
	here := false
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		switch {
		case len(words) < 3:
		case line[0] != ' ' && line[0] != '\t':
			here = words[0] == strconv.Itoa(index)
		case here:
			if n, err := strconv.ParseUint(words[0], 16, 32); err == nil {
				out = append(out, netip.AddrFrom4([4]byte(binary.NativeEndian.AppendUint32(nil, uint32(n)))))
			}
		}
	}
	return out
}

// sysctl is one setting of an interface.
type sysctl struct{ path, value string }

// readSysctls keeps all settings of the interface's own.
func readSysctls(name string) (out []sysctl) {
	for _, dir := range []string{"ipv4/conf", "ipv6/conf", "ipv4/neigh", "ipv6/neigh"} {
		dir = filepath.Join("/proc/sys/net", dir, name)
		entries, _ := os.ReadDir(dir) // absent: a kernel without the family
		for _, f := range entries {
			path := filepath.Join(dir, f.Name())
			if b, err := os.ReadFile(path); err == nil {
				out = append(out, sysctl{path, string(b)})
			}
		}
	}
	return out
}

// giveSysctls writes the settings that differ. What is closed to us was not set by us.
func (e *Estate) giveSysctls() error {
	var errs []error
	for _, s := range e.sysctls {
		if now, err := os.ReadFile(s.path); err != nil || string(now) == s.value {
			continue
		}
		err := os.WriteFile(s.path, []byte(s.value), 0o644)
		if err != nil && !errors.Is(err, os.ErrPermission) && !errors.Is(err, unix.EROFS) && !errors.Is(err, unix.EINVAL) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
