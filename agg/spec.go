package agg

import (
	"fmt"
	"maps"
	"slices"
)

// Spec is what is wanted of one aggregate: only what was said, nothing filled in.
// Config gives the meaning, with defaults.
type Spec struct {
	Name    string     `json:"name"`
	Options Settings   `json:"options,omitempty"`
	Ports   []PortSpec `json:"ports,omitempty"`
}

// PortSpec is what is wanted of one port.
type PortSpec struct {
	Name    string   `json:"name"`
	Options Settings `json:"options,omitempty"`
}

// Settings are explicit values in canonical text, by canonical option name. Unset is
// not zero: an option that is absent has its default.
type Settings map[string]string

// Set checks key and text against the options table and stores the canonical form.
// The error is a *Problem.
func (s *Settings) Set(scope Scope, key, text string) error {
	o, ok := Lookup(key, scope)
	if !ok {
		return unknownOption(key, scope)
	}
	if !o.Built {
		return &Problem{Code: "not-built", Option: o.Name, Value: text,
			Rule: "Yoke knows this option but does not have it yet", Remedy: "leave it out"}
	}
	canonical, err := o.Canonical(text)
	if err != nil {
		return err
	}
	if v, ok := o.value(canonical); ok && v.NotBuilt {
		return &Problem{Code: "not-built", Option: o.Name, Value: canonical,
			Rule: v.Text + ": Yoke knows this value but does not have it yet", Remedy: "one of these works: " + o.builtWords()}
	}
	if *s == nil {
		*s = Settings{}
	}
	(*s)[o.Name] = canonical
	return nil
}

func unknownOption(key string, scope Scope) *Problem {
	var names []string
	for _, o := range Options() {
		if o.Scope&scope != 0 && o.Built {
			names = append(names, o.Name)
		}
	}
	remedy := "`yoke help options` lists them"
	if s := suggestion(key, names); s != "" {
		remedy = s[2:]
	}
	return &Problem{Code: "unknown-option", Option: key, Rule: "there is no such option", Remedy: remedy}
}

// words returns key=value for each setting, in the order of the names.
func (s Settings) words() []string {
	var out []string
	for _, key := range slices.Sorted(maps.Keys(s)) {
		out = append(out, key+"="+s[key])
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
		out = append(out, &Problem{Code: "invalid-name", Object: "aggregate", Rule: err.Error()})
	}
	out = append(out, s.checkSettings()...)
	out = append(out, s.checkPorts()...)
	return out.Err()
}

func (s Spec) checkSettings() Problems {
	mode := s.Config().Mode
	out := checkScope(s.Name, s.Options, OfAggregate, mode)
	for _, p := range s.Ports {
		out = append(out, checkScope(p.Name, p.Options, OfPort, mode)...)
	}
	return out
}

func checkScope(object string, settings Settings, scope Scope, mode Mode) Problems {
	var out Problems
	for _, key := range slices.Sorted(maps.Keys(settings)) {
		value := settings[key]
		var scratch Settings
		if err := scratch.Set(scope, key, value); err != nil {
			p := *err.(*Problem) //nolint:errorlint // Set promises a *Problem
			p.Object = object
			out = append(out, &p)
			continue
		}
		if o, _ := Lookup(key, scope); !o.ValidIn(mode) {
			out = append(out, &Problem{Code: "wrong-mode", Object: object, Option: o.Name, Value: value,
				Rule:   fmt.Sprintf("does nothing in mode %s; it is for %s", mode, modeList(o.Modes)),
				Remedy: "leave it out or choose such a mode"})
		}
	}
	return out
}

func modeList(modes []Mode) string {
	text := ""
	for i, m := range modes {
		if i > 0 {
			text += ", "
		}
		text += m.String()
	}
	return text
}

func (s Spec) checkPorts() Problems {
	var out Problems
	if len(s.Ports) > MaxPorts {
		out = append(out, &Problem{Code: "too-many-ports", Object: s.Name,
			Rule: fmt.Sprintf("has %d ports; an aggregate has at most %d", len(s.Ports), MaxPorts)})
	}
	seen := map[string]bool{}
	for _, p := range s.Ports {
		if err := CheckName(p.Name); err != nil {
			out = append(out, &Problem{Code: "invalid-name", Object: s.Name, Rule: "port: " + err.Error()})
		}
		if p.Name == s.Name {
			out = append(out, &Problem{Code: "own-port", Object: s.Name, Rule: "cannot be its own port"})
		}
		if seen[p.Name] {
			out = append(out, &Problem{Code: "duplicate-port", Object: s.Name,
				Rule: fmt.Sprintf("port %s is named twice", p.Name), Remedy: "name it once"})
		}
		seen[p.Name] = true
	}
	return out
}
