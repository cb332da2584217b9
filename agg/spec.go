package agg

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Spec is what is wanted of one aggregate: only what was said, nothing filled in.
// Config gives the meaning, with defaults.
type Spec struct {
	Name    string     `json:"name"`
	Options Settings   `json:"options,omitempty"`
	Ports   []PortSpec `json:"ports,omitempty"`
	// Match asks for more ports by what they are; those that are found are in Ports too.
	Match []MatchSpec `json:"match,omitempty"`
}

// PortSpec is what is wanted of one port.
type PortSpec struct {
	Name    string   `json:"name"`
	Options Settings `json:"options,omitempty"`
	// Matched is the match that found the port, as text, empty where it was named.
	Matched string `json:"matched,omitempty"`
}

// Settings are explicit values in canonical text, by canonical option name. Unset is
// not zero: an option that is absent has its default.
type Settings map[string]string

// Set checks key and text against the options table and stores the canonical form.
// The error is a *Problem.
func (s *Settings) Set(scope Scope, key, text string) error {
	o, ok := Lookup(key, scope)
	if !ok {
		return unknownOption(key, text, scope)
	}
	if !o.Built {
		return o.notBuilt(text)
	}
	canonical, err := o.Canonical(text)
	if err != nil {
		return err
	}
	if v, ok := o.value(canonical); ok && v.NotBuilt {
		return &Problem{
			Code: "not-built", Option: o.Name, Value: canonical,
			Rule: "Yoke knows this value but does not have it yet", Remedy: "what works is " + o.Name + "=" + o.builtWords(),
			Fixes: []Fix{{o.Name, o.Name + "=" + o.Default}},
		}
	}
	if *s == nil {
		*s = Settings{}
	}
	(*s)[o.Name] = canonical
	return nil
}

// notBuilt refuses a known option by name.
func (o *Option) notBuilt(text string) *Problem {
	p := &Problem{Code: "not-built", Option: o.Name, Value: text, Rule: "Yoke knows this option but does not have it yet", Remedy: "leave it out"}
	p.Fixes = []Fix{{Word: o.Name}}
	if o.Instead != "" {
		p.Code, p.Rule, p.Remedy = "elsewhere", "Yoke has no such option, on purpose", o.Instead
	}
	return p
}

func unknownOption(key, text string, scope Scope) *Problem {
	var names []string
	for _, o := range Options() {
		if o.Scope&scope != 0 && o.Built {
			names = append(names, o.Name)
		}
	}
	p := &Problem{Code: "unknown-option", Option: key, Rule: "there is no such option", Remedy: "`yoke help options` lists them"}
	if best := nearest(key, names); best != "" {
		p.Remedy, p.Fixes = "did you mean "+best+"?", []Fix{{key, best + "=" + text}}
	}
	return p
}

// words returns key=value for each setting, in the order of the names.
func (s Settings) words() []string {
	var out []string
	for _, key := range slices.Sorted(maps.Keys(s)) {
		out = append(out, key+"="+s[key])
	}
	return out
}

// Normal returns the spec with canonical names and values, as if each setting had been
// made by Set. A spec that was read from a file or a request holds aliases and bare
// numbers, which Config does not look for. The error is Problems.
func (s Spec) Normal() (Spec, error) {
	out := Spec{Name: s.Name}
	var problems Problems
	out.Options = normal(s.Options, OfAggregate, s.Name, &problems)
	for _, p := range s.Ports {
		out.Ports = append(out.Ports, PortSpec{Name: p.Name, Options: normal(p.Options, OfPort, p.Name, &problems), Matched: p.Matched})
	}
	for _, m := range s.Match {
		out.Match = append(out.Match, MatchSpec{Match: m.Match, Options: normal(m.Options, OfPort, m.Match.String(), &problems)})
	}
	return out, problems.Err()
}

func normal(in Settings, scope Scope, object string, problems *Problems) Settings {
	var out Settings
	for _, key := range slices.Sorted(maps.Keys(in)) {
		if o, ok := Lookup(key, scope); ok && out[o.Name] != "" {
			*problems = append(*problems, &Problem{
				Code: "duplicate-option", Object: object, Option: key,
				Rule: "is another name of " + o.Name + ", which is given too", Remedy: "leave one of them out",
				Fixes: []Fix{{Word: key}},
			})
			continue
		}
		*problems = appendProblem(*problems, out.Set(scope, key, in[key]), object)
	}
	return out
}

// Clone returns a deep copy.
func (s Spec) Clone() Spec {
	s.Options = maps.Clone(s.Options)
	s.Ports = slices.Clone(s.Ports)
	for i := range s.Ports {
		s.Ports[i].Options = maps.Clone(s.Ports[i].Options)
	}
	s.Match = slices.Clone(s.Match)
	for i := range s.Match {
		s.Match[i] = s.Match[i].clone()
	}
	return s
}

// Port returns the index of the named port, or NoPort.
func (s Spec) Port(name string) int {
	return max(NoPort, slices.IndexFunc(s.Ports, func(p PortSpec) bool { return p.Name == name }))
}

// Validate reports every problem of the spec at once, as Problems.
func (s Spec) Validate() error {
	var out Problems
	if err := CheckName(s.Name); err != nil {
		out = append(out, &Problem{Code: "invalid-name", Object: "aggregate", Value: s.Name, Rule: err.Error(), Remedy: "take a name such as bond0",
			Fixes: []Fix{{s.Name, goodName(s.Name)}}})
	}
	out = append(out, s.checkSettings()...)
	out = append(out, s.checkPorts()...)
	out = append(out, s.checkMatch()...)
	return out.Err()
}

// goodName is a name near one that is refused.
func goodName(name string) string {
	short := name[:min(len(name), maxName)]
	if CheckName(short) != nil {
		return "bond0"
	}
	return short
}

func (s Spec) checkSettings() Problems {
	mode := s.Config().Mode
	out := checkScope(s.Name, s.Options, OfAggregate, mode)
	for _, p := range s.Ports {
		if p.Matched == "" { // else its options are those of the match
			out = append(out, checkScope(p.Name, p.Options, OfPort, mode)...)
		}
	}
	for _, m := range s.Match {
		out = append(out, checkScope(m.Match.String(), m.Options, OfPort, mode)...)
	}
	out = append(out, s.checkHash()...)
	out = append(out, s.checkDelays()...)
	out = append(out, s.checkLACP()...)
	out = append(out, s.checkPlanes()...)
	return append(out, s.checkQueues()...)
}

// checkLACP refuses what no system of LACP can be.
func (s Spec) checkLACP() Problems {
	var out Problems
	c := s.Config()
	if c.Mode != LACP {
		return nil
	}
	if l := c.LACP; l.MaxLinks != 0 && l.MaxLinks < l.MinLinks {
		out = append(out, &Problem{
			Code: "conflict", Object: s.Name, Option: "max_links", Value: s.Options["max_links"],
			Rule:   fmt.Sprintf("is less than min_links=%d, so that no number of ports would do", l.MinLinks),
			Remedy: fmt.Sprintf("take max_links=%d or more", l.MinLinks),
			Fixes:  []Fix{{"max_links", fmt.Sprintf("max_links=%d", l.MinLinks)}},
		})
	}
	return out
}

// checkQueues refuses a queue that two ports have.
func (s Spec) checkQueues() Problems {
	var out Problems
	owner := map[string]string{}
	for _, p := range s.Ports {
		queue := p.Options["queue_id"]
		if queue == "" || queue == "0" {
			continue
		}
		if other := owner[queue]; other != "" {
			out = append(out, &Problem{
				Code: "duplicate-queue", Object: p.Name, Option: "queue_id", Value: queue,
				Rule: "is the queue of " + other + " already", Remedy: "take another number, or 0 for none",
				Fixes: []Fix{{"queue_id", "queue_id=0"}},
			})
		}
		owner[queue] = p.Name
	}
	return out
}

func checkScope(object string, settings Settings, scope Scope, mode Mode) Problems {
	var out Problems
	for _, key := range slices.Sorted(maps.Keys(settings)) {
		value := settings[key]
		var scratch Settings
		if err := scratch.Set(scope, key, value); err != nil {
			out = appendProblem(out, err, object)
			continue
		}
		if o, _ := Lookup(key, scope); !o.ValidIn(mode) {
			out = append(out, &Problem{
				Code: "wrong-mode", Object: object, Option: o.Name, Value: value,
				Rule:   fmt.Sprintf("does nothing in mode %s; it is for %s", mode, modeList(o.Modes)),
				Remedy: "leave it out, or take mode=" + o.Modes[0].String(),
				Fixes:  []Fix{{Word: o.Name}, {"mode", "mode=" + o.Modes[0].String()}},
			})
		}
	}
	return out
}

// checkHash refuses two ways of saying what is hashed.
func (s Spec) checkHash() Problems {
	_, fields := s.Options["tx_hash"]
	policy, named := s.Options["xmit_hash_policy"]
	if !fields || !named {
		return nil
	}
	return Problems{{
		Code: "conflict", Object: s.Name, Option: "xmit_hash_policy", Value: policy,
		Rule: "says what is hashed, and so does tx_hash", Remedy: "leave one of them out",
		Fixes: []Fix{{Word: "xmit_hash_policy"}, {Word: "tx_hash"}},
	}}
}

func modeList(modes []Mode) string {
	words := make([]string, len(modes))
	for i, m := range modes {
		words[i] = m.String()
	}
	return strings.Join(words, ", ")
}

func (s Spec) checkPorts() Problems {
	var out Problems
	if len(s.Ports) > MaxPorts {
		out = append(out, &Problem{
			Code: "too-many-ports", Object: s.Name,
			Rule: fmt.Sprintf("has %d ports; an aggregate has at most %d", len(s.Ports), MaxPorts), Remedy: "make two aggregates of them",
		})
	}
	seen := map[string]bool{}
	for _, p := range s.Ports {
		if err := CheckName(p.Name); err != nil {
			out = append(out, &Problem{Code: "invalid-name", Object: s.Name, Value: p.Name, Rule: "port: " + err.Error(), Remedy: "name an interface of `ip link`"})
		}
		if p.Name == s.Name {
			out = append(out, &Problem{Code: "own-port", Object: s.Name, Rule: "cannot be its own port",
				Remedy: "name the links that shall carry the traffic, of `ip link`"})
		}
		if seen[p.Name] {
			out = append(out, &Problem{
				Code: "duplicate-port", Object: s.Name,
				Rule: fmt.Sprintf("port %s is named twice", p.Name), Remedy: "name it once",
				Fixes: []Fix{{p.Name, p.Name}},
			})
		}
		seen[p.Name] = true
	}
	return out
}
