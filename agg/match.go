package agg

import (
	"cmp"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
)

// MatchSpec asks for ports by what they are and not by name. Interfaces that appear later
// are matched then.
type MatchSpec struct {
	Match Match `json:"match"`
	// Options are those of every port that it finds.
	Options Settings `json:"options,omitempty"`
}

// Match says what an interface must be. All that is said must hold; Path and Driver may be
// patterns as of the shell (*, ?, [a-z]).
type Match struct {
	// PermanentMAC is the address that the hardware was made with. An interface without one
	// is matched by the address it has while it is no port.
	PermanentMAC MAC `json:"permanent-mac,omitzero"`
	// Path is where the hardware is: the bus and the place, pci-0000:00:03.0. Interfaces that
	// are no hardware have none.
	Path string `json:"path,omitempty"`
	// Driver is that of `ethtool -i`: e1000e, virtio_net, veth.
	Driver string `json:"driver,omitempty"`
}

// Identity is what an interface is, whatever its name.
type Identity struct {
	Name string
	MAC  MAC
	// PermanentMAC is zero where the driver has none; Path and Driver are empty where there
	// is none.
	PermanentMAC MAC
	Path, Driver string
}

// matchKeys are the words of a Match, in the order in which they are written.
func matchKeys() []string { return []string{"permanent-mac", "path", "driver"} }

// matchPrefix begins a word of a command line that is a match; no name has a colon.
const matchPrefix = "match:"

// Set sets one word of the match. The error is a *Problem.
func (m *Match) Set(key, value string) error {
	bad := func(rule, remedy string) error {
		return &Problem{Code: "invalid-match", Option: key, Value: value, Rule: rule, Remedy: remedy}
	}
	switch key {
	case "permanent-mac":
		mac, err := ParseMAC(value)
		if err != nil || mac.IsZero() || mac.IsMulticast() {
			return bad("must be the Ethernet address of one station", "`ethtool -P eth1` tells it")
		}
		m.PermanentMAC = mac
		return nil
	case "path", "driver":
		if _, err := path.Match(value, ""); err != nil || value == "" || strings.ContainsAny(value, " ,\x00\n") {
			return bad("must be a word, or a pattern as of the shell", "for example "+map[string]string{"path": "path: pci-0000:00:03.*", "driver": "driver: virtio_net; `ethtool -i eth1` tells it"}[key])
		}
		if key == "path" {
			m.Path = value
		} else {
			m.Driver = value
		}
		return nil
	}
	remedy := "match by " + strings.Join(matchKeys(), ", ")
	if best := nearest(key, matchKeys()); best != "" {
		remedy = "did you mean " + best + "?"
	}
	return bad("there is nothing of this name to match by", remedy)
}

// get is the reverse of Set, empty where nothing is said.
func (m Match) get(key string) string {
	switch key {
	case "permanent-mac":
		if m.PermanentMAC.IsZero() {
			return ""
		}
		return m.PermanentMAC.String()
	case "path":
		return m.Path
	default:
		return m.Driver
	}
}

// String is the match as words: driver=e1000e,path=pci-*.
func (m Match) String() string {
	var words []string
	for key, value := range m.All() {
		words = append(words, key+"="+value)
	}
	return strings.Join(words, ",")
}

// All yields what is said, by its words.
func (m Match) All() func(yield func(key, value string) bool) {
	return func(yield func(key, value string) bool) {
		for _, key := range matchKeys() {
			if value := m.get(key); value != "" && !yield(key, value) {
				return
			}
		}
	}
}

// Fits reports whether the interface is what is asked for. ours is set where it is a port
// by this match already, so that the address it has may be that of the aggregate.
func (m Match) Fits(i Identity, ours bool) bool {
	if !m.PermanentMAC.IsZero() {
		has := i.PermanentMAC
		if has.IsZero() && !ours {
			has = i.MAC
		}
		if has != m.PermanentMAC && (!ours || !i.PermanentMAC.IsZero()) {
			return false
		}
	}
	return fits(m.Path, i.Path) && fits(m.Driver, i.Driver) && m != Match{}
}

func fits(pattern, text string) bool {
	if pattern == "" {
		return true
	}
	ok, err := path.Match(pattern, text)
	return ok && err == nil
}

// word is the match as a word of a command line.
func (m MatchSpec) word() string {
	return strings.Join(append([]string{matchPrefix + m.Match.String()}, m.Options.words()...), ",")
}

// parseMatch reads match:driver=e1000e,prio=10: what to match by, and options of the ports.
func parseMatch(text string) (MatchSpec, Problems) {
	var m MatchSpec
	var out Problems
	for word := range strings.SplitSeq(strings.TrimPrefix(text, matchPrefix), ",") {
		key, value, ok := strings.Cut(word, "=")
		switch _, option := Lookup(key, OfPort); {
		case !ok:
			out = append(out, &Problem{Code: "invalid-match", Object: text, Value: word, Rule: "what to match by has the form key=value",
				Remedy: "write " + matchPrefix + "driver=virtio_net"})
		case option:
			out = appendProblem(out, m.Options.Set(OfPort, key, value), text)
		default:
			out = appendProblem(out, m.Match.Set(key, value), text)
		}
	}
	return m, out
}

func (m MatchSpec) clone() MatchSpec {
	m.Options = maps.Clone(m.Options)
	return m
}

// Named is the spec without the ports that matches have found: what was said.
func (s Spec) Named() Spec {
	s = s.Clone()
	s.Ports = slices.DeleteFunc(s.Ports, func(p PortSpec) bool { return p.Matched != "" })
	return s
}

// WithMatched is the spec with these interfaces as the ports that its matches find, behind
// those that it names. The first match that fits gives an interface its options. Nothing
// else of the interfaces is looked at.
func (s Spec) WithMatched(found []Identity) Spec {
	out := s.Named()
	found = slices.SortedFunc(slices.Values(found), func(a, b Identity) int {
		return cmp.Or(cmp.Compare(len(a.Name), len(b.Name)), cmp.Compare(a.Name, b.Name)) // eth2 comes before eth10
	})
	for _, i := range found {
		if out.Port(i.Name) != NoPort {
			continue
		}
		if m, ok := s.Finder(i); ok {
			out.Ports = append(out.Ports, PortSpec{Name: i.Name, Options: maps.Clone(m.Options), Matched: m.Match.String()})
		}
	}
	return out
}

// Finder is the first match that the interface fits.
func (s Spec) Finder(i Identity) (MatchSpec, bool) {
	p := s.Port(i.Name)
	for _, m := range s.Match {
		if m.Match.Fits(i, p != NoPort && s.Ports[p].Matched == m.Match.String()) {
			return m, true
		}
	}
	return MatchSpec{}, false
}

// checkMatch refuses matches that say nothing, or the same twice.
func (s Spec) checkMatch() Problems {
	var out Problems
	seen := map[Match]bool{}
	for _, m := range s.Match {
		switch {
		case m.Match == Match{}:
			out = append(out, &Problem{Code: "invalid-match", Object: s.Name, Option: "match", Rule: "says nothing to match by",
				Remedy: "match by " + strings.Join(matchKeys(), ", ")})
		case seen[m.Match]:
			out = append(out, &Problem{Code: "invalid-match", Object: s.Name, Option: "match", Value: m.Match.String(), Rule: "is there twice", Remedy: "write it once"})
		}
		seen[m.Match] = true
		for key, value := range m.Match.All() {
			var scratch Match
			out = appendProblem(out, scratch.Set(key, value), s.Name)
		}
	}
	if len(s.Match) > MaxPorts {
		out = append(out, &Problem{Code: "too-many-ports", Object: s.Name,
			Rule: fmt.Sprintf("has %d matches; an aggregate has at most %d ports", len(s.Match), MaxPorts), Remedy: "use patterns"})
	}
	return out
}
