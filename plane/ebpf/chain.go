package ebpf

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"

	"github.com/yokelag/yoke/internal/clsact"
)

// chain is what runs at one direction of an interface: tcx programs, then filters.
type chain struct {
	ifindex int
	ingress bool
	// hasLinks: the kernel has tcx.
	hasLinks bool
	programs []link.AttachedProgram
	filters  []clsact.Filter
	// unsure: the filters could not be read.
	unsure bool
}

// chainOf reads a chain. An interface that is gone has an empty one.
func chainOf(ifindex int, ingress bool) chain {
	c := chain{ifindex: ifindex, ingress: ingress}
	if result, err := link.QueryPrograms(link.QueryOptions{Target: ifindex, Attach: attachType(ingress)}); err == nil {
		c.programs, c.hasLinks = result.Programs, true
	}
	filters, err := clsact.Filters(ifindex, ingress) // an error says that the interface is gone
	c.filters, c.unsure = filters, err != nil
	return c
}

// sight is the chains that one look at an aggregate has read, each once.
type sight map[int][2]*chain

func (s sight) of(ifindex int, ingress bool) chain {
	both, i := s[ifindex], 0
	if ingress {
		i = 1
	}
	if both[i] == nil {
		c := chainOf(ifindex, ingress)
		both[i] = &c
		s[ifindex] = both
	}
	return *both[i]
}

// ours is the index of our filter, or negative.
func (c chain) ours() int { return slices.IndexFunc(c.filters, isOurFilter) }

// ourProgram opens the program of our filter.
func (c chain) ourProgram() (*ebpf.Program, error) {
	f := c.filters[c.ours()]
	p, err := ebpf.NewProgramFromID(ebpf.ProgramID(f.Program))
	if err != nil {
		return nil, fmt.Errorf("open the program of filter %s: %w", f.Name, err)
	}
	return p, nil
}

// first reports whether our filter, or the one that would be added, runs before everything
// of others. The kernel lists filters in the order of running.
func (c chain) first() bool {
	if len(c.programs) > 0 {
		return false
	}
	if i := c.ours(); i >= 0 {
		return i == 0
	}
	return len(c.filters) == 0 || c.filters[0].Priority > firstPriority
}

// crowd is how many programs and filters there are beside our filter.
func (c chain) crowd() int {
	n := len(c.programs) + len(c.filters)
	if c.ours() >= 0 {
		n--
	}
	return n
}

// filterIsWrong: a filter of ours does not come first at this ingress, and a link would.
func (c chain) filterIsWrong() bool { return c.ingress && c.hasLinks && !c.first() }

// linkIsWrong: our link is behind others at this ingress, or may not be the last at this egress,
// where a filter is. Filters run after all links.
func (c chain) linkIsWrong(id link.ID) bool {
	if c.ingress {
		return c.isBehindOthers(id)
	}
	return c.crowd() > 1
}

// isBehindOthers reports whether programs that are not Yoke's run before a link. Those of Yoke
// let all pass that is not theirs, as what speaks LACP for a dead daemon does, and want to be
// first too: going before them would begin a fight.
func (c chain) isBehindOthers(id link.ID) bool {
	at := slices.IndexFunc(c.programs, func(p link.AttachedProgram) bool {
		got, linked := p.LinkID()
		return linked && got == id
	})
	return at > 0 && slices.ContainsFunc(c.programs[:at], isForeign)
}

func isForeign(p link.AttachedProgram) bool { return !strings.HasPrefix(programName(p.ID), ourPrefix) }

// linkIsBetter: a link, which costs each frame less, would be as right as our filter.
func (c chain) linkIsBetter() bool { return c.hasLinks && (c.ingress || c.crowd() == 0) }

// others lists what is not ours, for people, without the name of the interface.
func (c chain) others() []string {
	var out []string
	for _, p := range c.programs {
		if isForeign(p) {
			out = append(out, fmt.Sprintf("%s: tcx program %d (%s)", direction(c.ingress), p.ID, programName(p.ID)))
		}
	}
	for _, f := range c.filters {
		if !isOurFilter(f) && !isKin(f) {
			out = append(out, fmt.Sprintf("%s: %s filter, priority %d", direction(c.ingress), f.Kind, f.Priority))
		}
	}
	return out
}

func programName(id ebpf.ProgramID) string {
	p, err := ebpf.NewProgramFromID(id)
	if err != nil {
		return "unknown"
	}
	defer p.Close()
	info, err := p.Info()
	if err != nil {
		return "unknown"
	}
	return info.Name
}
