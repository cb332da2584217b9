package agg

import "strings"

// ParseArgs reads the words after `yoke up NAME`: key=value sets an option of the
// aggregate, and anything else is a port, with options of its own after commas:
//
//	mode=active-backup miimon=100 eth1 eth2,prio=10,sticky=on match:driver=virtio_net
//
// The spec is checked option by option; every problem is reported, as Problems.
// Validate checks the whole.
func ParseArgs(name string, args []string) (Spec, error) {
	s := Spec{Name: name}
	var out Problems
	for _, arg := range args {
		if strings.HasPrefix(arg, matchPrefix) {
			m, problems := parseMatch(arg)
			out = append(out, problems...)
			s.Match = append(s.Match, m)
			continue
		}
		port, problems := ParsePort(arg)
		if key, value, ok := strings.Cut(arg, "="); ok && !strings.Contains(key, ",") {
			out = appendProblem(out, s.Options.Set(OfAggregate, key, value), name)
			continue
		}
		out = append(out, problems...)
		s.Ports = append(s.Ports, port)
	}
	return s, out.Err()
}

// ParsePort reads one port with its options: eth2,prio=10,sticky=on.
func ParsePort(text string) (PortSpec, Problems) {
	name, rest, more := strings.Cut(text, ",")
	p := PortSpec{Name: name}
	var out Problems
	if err := CheckName(name); err != nil {
		out = append(out, &Problem{Code: "invalid-name", Object: "port", Value: name, Rule: err.Error(), Remedy: "name an interface of `ip link`"})
	}
	for more {
		var word string
		word, rest, more = strings.Cut(rest, ",")
		key, value, ok := strings.Cut(word, "=")
		if !ok {
			out = append(out, &Problem{
				Code: "invalid-port", Object: name, Value: word, Rule: "an option of a port has the form key=value",
				Remedy: "write " + name + ",prio=10, and further ports as words of their own",
			})
			continue
		}
		out = appendProblem(out, p.Options.Set(OfPort, key, value), name)
	}
	return p, out
}

// appendProblem adds the problem that Settings.Set returned, if any, naming its object.
func appendProblem(out Problems, err error, object string) Problems {
	if err == nil {
		return out
	}
	p := *err.(*Problem) //nolint:errorlint,forcetypeassert // Set promises a *Problem
	p.Object = object
	return append(out, &p)
}

// Args is the reverse of ParseArgs: the words that make the same spec, options first
// in the order of their names. Ports that a match has found are not named.
func (s Spec) Args() []string {
	args := s.Options.words()
	for _, p := range s.Ports {
		if p.Matched == "" {
			args = append(args, p.Word())
		}
	}
	for _, m := range s.Match {
		args = append(args, m.word())
	}
	return args
}

// Word is the port with its options as ParsePort reads it.
func (p PortSpec) Word() string {
	return strings.Join(append([]string{p.Name}, p.Options.words()...), ",")
}
