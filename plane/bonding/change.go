package bonding

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/yokelag/yoke/agg"
)

func itoa(n int) string { return strconv.Itoa(n) }

// passes bound how often what the driver moved by itself is set again.
const passes = 3

// kernel is what a change needs of a bond; a fake stands for it in tests.
type kernel interface {
	read() (State, error)
	set(a Attribute, value string) error
}

// Target is what all options of a bond shall be when those of want are changed: the
// others as they are, but for those that the driver changes with them.
func Target(have State, want Values) Values {
	out := Values{}
	maps.Copy(out, have.Options)
	put := func(name, v string) {
		if _, asked := want[name]; !asked {
			out[name] = v
		}
	}
	maps.Copy(out, want)
	mode := modeOf(out)
	if mode != have.Mode() {
		put("arp_validate", "0")
		if _, has := out["broadcast_neighbor"]; has {
			put("broadcast_neighbor", "0")
		}
	}
	if !slices.Contains(probeModes(), mode) {
		put("arp_interval", "0")
		put("arp_validate", "0")
		if out["miimon"] == "0" && mode != have.Mode() {
			put("miimon", "100")
		}
	}
	// The two watches exclude each other: the one that is asked for stays.
	if positive(want["miimon"]) {
		put("arp_interval", "0")
		put("arp_validate", "0")
	}
	if positive(want["arp_interval"]) {
		put("miimon", "0")
	}
	if out["miimon"] == "0" {
		put("updelay", "0")
		put("downdelay", "0")
		put("peer_notif_delay", "0")
	}
	for _, a := range Attributes() {
		// The active port moves by itself.
		if _, asked := want[a.Name]; !asked && (!a.in(mode) || a.Name == "active_slave") {
			delete(out, a.Name)
		}
	}
	return out
}

func positive(v string) bool { return v != "" && v != "0" }

// check refuses what the driver's rules forbid, all at once.
func check(have State, want Values) error {
	var out agg.Problems
	target := Target(have, want)
	mode := modeOf(target)
	for _, a := range Attributes() {
		value, asked := want[a.Name]
		if !asked || value == have.Options[a.Name] {
			continue
		}
		if p := a.refuse(have, target, mode, value); p != nil {
			p.Object, p.Option, p.Value = have.Name, a.Name, value
			out = append(out, p)
		}
	}
	return out.Err()
}

// refuse judges one option that is to change.
func (a Attribute) refuse(have State, target Values, mode agg.Mode, value string) *agg.Problem {
	_, reported := have.Options[a.Name]
	switch {
	case !a.in(mode):
		return &agg.Problem{Code: "wrong-mode", Rule: "the bonding driver has it in " + modeWords(a.Modes) + ", and not in " + mode.String(),
			Remedy: "leave it out, or take such a mode"}
	case !reported && !a.Optional && a.in(have.Mode()):
		return &agg.Problem{Code: "old-kernel", Rule: "the bonding driver of this kernel does not have it; Linux " + a.Since + " does",
			Remedy: "leave it out, or `yoke up " + have.Name + " plane=ebpf`"}
	case a.Empty && len(have.Ports) > 0:
		return &agg.Problem{Code: "has-ports", Rule: "the bonding driver changes it only while there are no ports",
			Remedy: "`yoke remove " + have.Name + " " + strings.Join(portNames(have), " ") + "` before"}
	case a.Down && have.Up:
		return &agg.Problem{Code: "device-up", Rule: "the bonding driver changes it only while the device is down",
			Remedy: "`ip link set " + have.Name + " down` before, which interrupts traffic"}
	}
	return a.depends(have, target, value)
}

// depends judges an option by the others.
func (a Attribute) depends(have State, target Values, value string) *agg.Problem {
	needs := func(rule, remedy string) *agg.Problem {
		return &agg.Problem{Code: "conflict", Rule: rule, Remedy: remedy}
	}
	switch a.Name {
	case "updelay", "downdelay", "peer_notif_delay":
		miimon, _ := strconv.Atoi(target["miimon"])
		n, _ := strconv.Atoi(value)
		switch {
		case n > 0 && miimon == 0:
			return needs("is counted in periods of miimon, which is off", "miimon=100")
		case n > 0 && n%miimon != 0:
			return needs(fmt.Sprintf("the bonding driver counts it in periods of miimon (%d ms) and would round it down", miimon),
				fmt.Sprintf("%s=%dms", a.Name, (n+miimon-1)/miimon*miimon))
		}
	case "miimon":
		if positive(value) && positive(target["arp_interval"]) {
			return needs("the bonding driver has one watch, and arp_interval is on", "arp_interval=0")
		}
	case "arp_interval", "arp_validate":
		if positive(value) && positive(target["miimon"]) {
			return needs("the bonding driver has one watch, and miimon is on", "miimon=0")
		}
		if a.Name == "arp_validate" && positive(value) && !positive(target["arp_interval"]) {
			return needs("judges answers to ARP probes, and arp_interval is off", "arp_interval=100")
		}
	case "active_slave":
		return activeSlave(have, value)
	case "use_carrier":
		if value == "0" {
			return needs("the bonding driver always trusts the carrier flag (since Linux 6.18)", "leave it out, or plane=ebpf")
		}
	}
	return nil
}

func activeSlave(have State, value string) *agg.Problem {
	if value == "0" {
		return nil
	}
	for _, p := range have.Ports {
		if itoa(p.Index) != value {
			continue
		}
		if p.Link == "up" && p.Carrier {
			return nil
		}
		return &agg.Problem{Code: "port-down", Rule: p.Name + " has no link", Remedy: "take a port that is up"}
	}
	return &agg.Problem{Code: "not-a-port", Rule: "no port of the bond has this number", Remedy: "take one of " + strings.Join(portNames(have), ", ")}
}

func portNames(s State) []string {
	var out []string
	for _, p := range s.Ports {
		out = append(out, p.Name)
	}
	return out
}

func modeWords(modes []agg.Mode) string {
	var out []string
	for _, m := range modes {
		out = append(out, m.String())
	}
	return strings.Join(out, ", ")
}

// change makes the options of want so, and all others as they were or as the driver makes
// them; after an error all are as they were before.
func change(k kernel, want Values) error {
	before, err := k.read()
	if err != nil {
		return err
	}
	if err := check(before, want); err != nil {
		return err
	}
	return apply(k, before, want)
}

// apply is change without the check.
func apply(k kernel, before State, want Values) error {
	target := Target(before, want)
	err := reach(k, target)
	if err == nil {
		return nil
	}
	if back := reach(k, settled(before)); back != nil {
		return errors.Join(err, fmt.Errorf("and it is not as it was before: %w", back))
	}
	return err
}

// settled are the options of a state that can be set again: the driver chooses the active
// port where there was none.
func settled(s State) Values {
	out := maps.Clone(s.Options)
	if !positive(out["active_slave"]) {
		delete(out, "active_slave")
	}
	return out
}

// reach sets options until all are as in target.
func reach(k kernel, target Values) error {
	for range passes {
		have, err := k.read()
		if err != nil {
			return err
		}
		differing := differing(have, target)
		if len(differing) == 0 {
			return nil
		}
		for _, a := range order(differing, target) {
			if err := k.set(a, target[a.Name]); err != nil {
				return refusal(have.Name, a, target[a.Name], err)
			}
		}
	}
	have, err := k.read()
	if err != nil {
		return err
	}
	var out agg.Problems
	for _, a := range differing(have, target) {
		p := &agg.Problem{Code: "not-taken", Object: have.Name, Option: a.Name, Value: target[a.Name],
			Rule: "the bonding driver took it and kept " + have.Options[a.Name], Remedy: "leave it out"}
		if a.Since != "" {
			p.Code, p.Rule = "old-kernel", "the bonding driver of this kernel ignores it; Linux "+a.Since+" has it"
		}
		out = append(out, p)
	}
	return out.Err()
}

// differing are the attributes whose values are others than in target.
func differing(have State, target Values) []Attribute {
	var out []Attribute
	for _, a := range Attributes() {
		want, ok := target[a.Name]
		if now, reported := have.Options[a.Name]; ok && (!reported || now != want) {
			out = append(out, a)
		}
	}
	return out
}

// order is that of [Attributes], but that what ends comes before what begins: a watch that
// is switched off, and delays that are, before the rest.
func order(list []Attribute, target Values) []Attribute {
	out := slices.Clone(list)
	slices.SortStableFunc(out, func(a, b Attribute) int { return rank(a, target) - rank(b, target) })
	return out
}

func rank(a Attribute, target Values) int {
	ends := !positive(target[a.Name])
	switch {
	case a.Name == "mode":
		return 0
	case ends && (a.Name == "arp_validate" || a.Name == "updelay" || a.Name == "downdelay" || a.Name == "peer_notif_delay"):
		return 1
	case ends && (a.Name == "arp_interval" || a.Name == "miimon"):
		return 2
	case a.Name == "arp_interval":
		return 3
	case a.Name == "arp_validate":
		return 4
	default:
		return 5
	}
}

// refusal is what the kernel said about an option, with its own words.
func refusal(object string, a Attribute, value string, err error) error {
	return &Refused{Object: object, Option: a.Name, Value: value, Err: err}
}

// Refused is an option that the kernel refused.
type Refused struct {
	Object, Option, Value string
	// Err is the number, with the kernel's extended message where it gave one.
	Err error
}

// Error implements error.
func (r *Refused) Error() string {
	return fmt.Sprintf("%s: the bonding driver refused %s=%s: %v", r.Object, r.Option, r.Value, r.Err)
}

// Unwrap is the cause.
func (r *Refused) Unwrap() error { return r.Err }
