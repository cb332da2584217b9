package policy

import (
	"fmt"
	"slices"

	"github.com/yokelag/yoke/agg"
)

// The codes of an active port's choice.
const (
	CodeNone       = "none-up"        // no port works
	CodeWish       = "active-slave"   // an operator asked for the port
	CodePrimarySet = "primary-set"    // primary was set to the port just now
	CodePrimary    = "primary"        // the port is the primary and works
	CodePrio       = "prio"           // the port has the largest prio of those that work
	CodeFirst      = "first-up"       // the first port in configured order that works
	CodeWaited     = "waited-longest" // no port is up; the port's updelay is cut short
	CodeKept       = "kept"           // the port was active and nothing better came
	CodeSticky     = "sticky"         // the port was active and is sticky
	CodeReselect   = "reselect"       // primary_reselect keeps a better port waiting
	CodeFalling    = "falling"        // the port fails, downdelay is not over
)

// ActiveChoice is the answer of ChooseActive.
type ActiveChoice struct {
	// Index is the place among the candidates, or agg.NoPort.
	Index int
	// Code is one of the constants above, Text a clause: "it is the primary".
	Code, Text string
	// State is what the next choice must be given.
	State State
}

// ChooseActive chooses the active port of active-backup (also the unbalanced port of
// tlb and alb). It reads Primary, PrimaryReselect and ActiveSlave of c; ports are in
// configured order. The first rule that applies decides:
//
//  1. a new active_slave, where that port is up; clearing it selects anew;
//  2. a new primary, where that port is up, whatever primary_reselect says;
//     either is new as well where it is set again to what it was ([State.Again]);
//  3. the port of an active_slave stays until it fails;
//  4. a sticky port stays until it fails;
//  5. the challenger is the primary where it is up, else the port that is up with the
//     largest prio, the first of them in configured order;
//  6. without an active port the challenger is taken; with one it takes over only if it
//     is the primary or has a larger prio, and primary_reselect lets it.
//
// Rule 6 differs from the bonding driver on purpose. There any reselection (a port is
// added, primary is cleared, a prio changes) moves traffic to the first port of equal
// prio. Here equal ports never take over from each other, so that a choice depends on
// what is, not on which event came last.
func ChooseActive(c agg.Config, ports []Candidate, prev State) ActiveChoice {
	a := chooser{c: c, ports: ports, next: prev}
	a.next.Promoted = promote(ports, prev.Promoted)
	a.current = a.find(prev.Active)
	if a.current >= 0 && !ports[a.current].usable(a.next.Promoted) {
		a.current = agg.NoPort
	}
	choice := a.choose()
	choice.State = a.state(choice.Index)
	return choice
}

type chooser struct {
	c       agg.Config
	ports   []Candidate
	next    State
	current int
}

func (a *chooser) choose() ActiveChoice {
	newPrimary := a.takePrimary()
	if i := a.takeWish(); i >= 0 {
		return pick(i, CodeWish, "active_slave asks for it")
	}
	if newPrimary >= 0 {
		a.next.WishHolds = false
		return pick(newPrimary, CodePrimarySet, "primary was set to it")
	}
	if a.current >= 0 {
		if a.next.WishHolds && a.next.Wish == a.ports[a.current].Name {
			return pick(a.current, CodeWish, "active_slave asked for it and it still works")
		}
		if a.ports[a.current].Sticky {
			return pick(a.current, CodeSticky, "it is sticky and still works")
		}
	}
	return a.contest()
}

// takeWish consumes a new active_slave and returns its port, or NoPort. A wish whose
// port is not up stays pending.
func (a *chooser) takeWish() int {
	wish := a.c.ActiveSlave
	if wish == a.next.Wish {
		return agg.NoPort
	}
	a.next.WishHolds = false
	if wish == "" {
		a.next.Wish, a.current = "", agg.NoPort
		return agg.NoPort
	}
	i := a.findUp(wish)
	if i >= 0 {
		a.next.Wish, a.next.WishHolds = wish, true
	}
	return i
}

// takePrimary consumes a primary that has not taken over yet and returns its port, or
// NoPort. One that leaves the aggregate may do so again when it comes back.
func (a *chooser) takePrimary() int {
	if a.find(a.c.Primary) < 0 {
		a.next.Primary = ""
		return agg.NoPort
	}
	i := a.findUp(a.c.Primary)
	if a.next.Primary == a.c.Primary || i < 0 {
		return agg.NoPort
	}
	a.next.Primary = a.c.Primary
	if i == a.current || a.current < 0 { // the contest finds it too
		return agg.NoPort
	}
	return i
}

// contest applies rules 5 and 6.
func (a *chooser) contest() ActiveChoice {
	best, code, text := a.challenger()
	switch {
	case best < 0 && a.current >= 0:
		return pick(a.current, CodeFalling, "it fails, but downdelay is not over and no other port is up")
	case best < 0:
		return a.lastResort()
	case a.current < 0, a.current == best:
		return pick(best, code, text)
	case code != CodePrimary && a.ports[best].Prio <= a.ports[a.current].Prio:
		return pick(a.current, CodeKept, "it was active and nothing better is up")
	case a.c.PrimaryReselect == agg.ReselectFailure:
		return pick(a.current, CodeReselect, fmt.Sprintf("it still works, and primary_reselect=failure keeps %s waiting", a.ports[best].Name))
	case a.c.PrimaryReselect == agg.ReselectBetter && !faster(a.ports[best], a.ports[a.current]):
		return pick(a.current, CodeReselect, fmt.Sprintf("primary_reselect=better, and %s is not faster", a.ports[best].Name))
	default:
		return pick(best, code, text)
	}
}

// challenger returns the port that would be taken if there were no active one.
func (a *chooser) challenger() (int, string, string) {
	if i := a.findUp(a.c.Primary); i >= 0 {
		return i, CodePrimary, "it is the primary"
	}
	best, distinct := agg.NoPort, false
	for i, p := range a.ports {
		if !p.up(a.next.Promoted) {
			continue
		}
		if best >= 0 && p.Prio != a.ports[best].Prio {
			distinct = true
		}
		if best < 0 || p.Prio > a.ports[best].Prio {
			best = i
		}
	}
	switch {
	case best < 0:
		return best, CodeNone, ""
	case a.ports[best].Watch.State == Rising:
		return best, CodeWaited, "no port is up, and it waited longest for its updelay"
	case distinct:
		return best, CodePrio, fmt.Sprintf("it has the largest prio of those that work, %d", a.ports[best].Prio)
	default:
		return best, CodeFirst, "it is the first port that works"
	}
}

// lastResort takes a port in its downdelay where there is nothing else.
func (a *chooser) lastResort() ActiveChoice {
	i := slices.IndexFunc(a.ports, func(p Candidate) bool { return p.usable("") })
	if i < 0 {
		return pick(agg.NoPort, CodeNone, "no port works")
	}
	return pick(i, CodeFalling, "it fails, but downdelay is not over and no other port is up")
}

func (a *chooser) find(name string) int {
	if name == "" {
		return agg.NoPort
	}
	return slices.IndexFunc(a.ports, func(p Candidate) bool { return p.Name == name })
}

func (a *chooser) findUp(name string) int {
	i := a.find(name)
	if i < 0 || !a.ports[i].up(a.next.Promoted) {
		return agg.NoPort
	}
	return i
}

// state returns what the next choice needs to know of this one.
func (a *chooser) state(active int) State {
	next := a.next
	next.Active = ""
	if active >= 0 {
		next.Active = a.ports[active].Name
	}
	next.WishHolds = next.WishHolds && next.Active == next.Wish
	return next
}

func pick(i int, code, text string) ActiveChoice {
	return ActiveChoice{Index: i, Code: code, Text: text}
}

// faster is the rule of primary_reselect=better: more speed, or the same and a better
// duplex. An unknown speed is not faster than any.
func faster(a, b Candidate) bool {
	if a.Speed != b.Speed {
		return a.Speed > b.Speed
	}
	return a.FullDuplex && !b.FullDuplex
}
