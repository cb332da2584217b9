package keepalive

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/yokelag/yoke/internal/clsact"
)

// hook is a place on a port.
type hook struct {
	ifindex int
	ingress bool
}

// Names and places. The dash tells filters from those of plane ebpf, whose first at the
// ingress and last at the egress have priorities 1 and 65535.
const (
	filterHandle = 0x796f6b61
	ourFamily    = "yoke"
	firstIngress = 2
	lastIngress  = 0xfeff
	firstEgress  = 0xff00
)

func (h hook) filterName() string {
	if h.ingress {
		return "yoke-answer"
	}
	return "yoke-hold"
}

func (h hook) programName() string {
	if h.ingress {
		return keepaliveProgYokeAnswer
	}
	return keepaliveProgYokeHold
}

func (h hook) parent() uint32 {
	if h.ingress {
		return netlink.HANDLE_MIN_INGRESS
	}
	return netlink.HANDLE_MIN_EGRESS
}

// seen is what stands at a hook. id is that of our program, 0 where there is none.
type seen struct {
	hook
	filters  []netlink.Filter
	programs []string // the names of tcx programs
	hasTCX   bool
	id       ebpf.ProgramID
	// byTCX: our program is not a filter.
	byTCX bool
}

// look reads it. An interface that is gone, or has no clsact qdisc, has nothing.
func look(h hook) (s seen, err error) {
	s.hook = h
	s.filters, err = netlink.FilterList(byIndex(h.ifindex), h.parent())
	if err != nil && !clsact.IsGone(err) {
		return s, fmt.Errorf("look for filters on interface %d: %w", h.ifindex, err)
	}
	for _, f := range s.filters {
		if b, ok := f.(*netlink.BpfFilter); ok && b.Name == h.filterName() {
			s.id = ebpf.ProgramID(b.Id)
		}
	}
	if !h.ingress {
		return s, nil
	}
	return s, s.lookTCX()
}

func (s *seen) lookTCX() error {
	result, err := link.QueryPrograms(link.QueryOptions{Target: s.ifindex, Attach: ebpf.AttachTCXIngress})
	if clsact.IsGone(err) || errors.Is(err, ebpf.ErrNotSupported) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look for tcx programs on interface %d: %w", s.ifindex, err)
	}
	s.hasTCX = true
	for _, p := range result.Programs {
		name, err := nameOf(p.ID)
		if err != nil {
			return fmt.Errorf("look for tcx programs on interface %d: %w", s.ifindex, err)
		}
		s.programs = append(s.programs, name)
		if name == s.programName() {
			s.id, s.byTCX = p.ID, true
		}
	}
	return nil
}

// first reports whether our filter, or one that would be added, runs before all of others.
func (s seen) first() bool {
	for _, name := range s.programs {
		if !strings.HasPrefix(name, ourFamily) {
			return false
		}
	}
	for _, f := range s.filters {
		b, ok := f.(*netlink.BpfFilter)
		if ok && b.Name == s.filterName() {
			return true
		}
		if !ok || !strings.HasPrefix(b.Name, ourFamily) {
			return f.Attrs().Priority > firstIngress
		}
	}
	return true
}

// stands reports whether our program is in the right place.
func (s seen) stands() bool {
	return s.id != 0 && (s.byTCX || !s.ingress || !s.hasTCX || s.first())
}

// attach puts p on h, in place of what of ours is there.
func attach(h hook, p *ebpf.Program) error {
	s, err := look(h)
	if err != nil {
		return err
	}
	return s.attach(p)
}

// attach puts p there, in place of what of ours was seen.
func (s seen) attach(p *ebpf.Program) error {
	if s.byTCX || s.ingress && s.hasTCX && !s.first() {
		return errors.Join(s.attachTCX(p), s.removeFilter())
	}
	return s.attachFilter(p)
}

func (s seen) attachTCX(p *ebpf.Program) error {
	at := link.RawAttachProgramOptions{Target: s.ifindex, Program: p, Attach: ebpf.AttachTCXIngress, Anchor: link.Head()}
	if s.byTCX {
		old, err := ebpf.NewProgramFromID(s.id)
		if err != nil {
			return fmt.Errorf("open the program to replace on interface %d: %w", s.ifindex, err)
		}
		defer old.Close()
		at.Anchor = link.ReplaceProgram(old)
	}
	if err := link.RawAttachProgram(at); err != nil {
		return fmt.Errorf("attach %s to interface %d: %w", s.programName(), s.ifindex, err)
	}
	return nil
}

func (s seen) attachFilter(p *ebpf.Program) error {
	f := s.filter()
	f.Fd, f.Name, f.DirectAction = p.FD(), s.filterName(), true
	if err := netlink.FilterReplace(f); err != nil {
		return fmt.Errorf("add filter %s to interface %d: %w", f.Name, s.ifindex, err)
	}
	return nil
}

func (s seen) filter() *netlink.BpfFilter {
	return &netlink.BpfFilter{FilterAttrs: netlink.FilterAttrs{
		LinkIndex: s.ifindex, Parent: s.parent(), Handle: filterHandle,
		Protocol: unix.ETH_P_ALL, Priority: s.priority(),
	}}
}

// priority is that of our filter, or a free one: the first at ingress, and one before the
// guard's at egress.
func (s seen) priority() uint16 {
	taken := func(n uint16) bool {
		return slices.ContainsFunc(s.filters, func(f netlink.Filter) bool { return f.Attrs().Priority == n })
	}
	for _, f := range s.filters {
		if b, ok := f.(*netlink.BpfFilter); ok && b.Name == s.filterName() {
			return f.Attrs().Priority
		}
	}
	if s.ingress {
		for n := uint16(firstIngress); n < lastIngress; n++ {
			if !taken(n) {
				return n
			}
		}
	}
	for n := uint16(firstEgress); n > 1; n-- {
		if !taken(n) {
			return n
		}
	}
	return 0 // the kernel chooses
}

func (s seen) hasFilter() bool {
	return slices.ContainsFunc(s.filters, func(f netlink.Filter) bool {
		b, ok := f.(*netlink.BpfFilter)
		return ok && b.Name == s.filterName()
	})
}

func (s seen) removeFilter() error {
	if !s.hasFilter() {
		return nil
	}
	if err := netlink.FilterDel(s.filter()); err != nil && !clsact.IsGone(err) {
		return fmt.Errorf("remove filter %s from interface %d: %w", s.filterName(), s.ifindex, err)
	}
	return nil
}

// detach takes our program off h. One that is gone already is no error.
func detach(h hook) error {
	s, err := look(h)
	if err != nil {
		return err
	}
	if !s.byTCX {
		return s.removeFilter()
	}
	p, err := ebpf.NewProgramFromID(s.id)
	if err != nil {
		return fmt.Errorf("open the program on interface %d: %w", s.ifindex, err)
	}
	defer p.Close()
	err = link.RawDetachProgram(link.RawDetachProgramOptions{Target: s.ifindex, Program: p, Attach: ebpf.AttachTCXIngress})
	if err != nil && !clsact.IsGone(err) {
		return fmt.Errorf("detach %s from interface %d: %w", s.programName(), s.ifindex, err)
	}
	return s.removeFilter()
}

// nameOf is empty for programs that are gone, or not ours to look at.
func nameOf(id ebpf.ProgramID) (string, error) {
	p, err := ebpf.NewProgramFromID(id)
	if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.EPERM) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	defer p.Close()
	info, err := p.Info()
	if err != nil {
		return "", err
	}
	return info.Name, nil
}

// byIndex names a link by nothing but its ifindex, without asking the kernel.
func byIndex(ifindex int) netlink.Link {
	a := netlink.NewLinkAttrs()
	a.Index = ifindex
	return &netlink.Device{LinkAttrs: a}
}
