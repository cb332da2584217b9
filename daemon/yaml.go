package daemon

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"github.com/yokelag/yoke/agg"
)

// reader turns a YAML file into specs and collects problems with line and column.
type reader struct {
	source   string
	problems agg.Problems
	places   map[place]string
}

// place is where a file says something: of an aggregate or port, and which option, empty
// where it is about the whole.
type place struct{ aggregate, port, option string }

// parseConfig reads the text of a file. name is the aggregate's where the file does not
// say.
func parseConfig(source, name string, text []byte) ([]agg.Spec, error) {
	if p := readable(source, text); p != nil {
		return nil, p
	}
	file, err := parser.ParseBytes(text, 0)
	if err != nil {
		return nil, syntaxProblem(source, err)
	}
	r := &reader{source: source, places: map[place]string{}}
	var specs []agg.Spec
	for _, doc := range file.Docs {
		if doc.Body != nil {
			specs = append(specs, r.document(doc.Body, name)...)
		}
	}
	if r.problems == nil {
		r.validate(specs)
	}
	if r.problems != nil {
		return nil, r.problems
	}
	return specs, nil
}

// readable refuses text that no editor wrote, before a parser is asked.
func readable(source string, text []byte) *agg.Problem {
	bad := func(offset int, rule string) *agg.Problem {
		before := text[:offset]
		line, column := 1+bytes.Count(before, []byte("\n")), offset-bytes.LastIndexByte(before, '\n')
		return &agg.Problem{Code: "bad-yaml", Object: at(source, line, column), Rule: rule, Remedy: "write one `option: value` a line"}
	}
	if i := bytes.IndexByte(text, 0); i >= 0 {
		return bad(i, "holds a NUL byte, so it is no text")
	}
	if !utf8.Valid(text) {
		valid := 0
		for r, n := utf8.DecodeRune(text); r != utf8.RuneError || n > 1; r, n = utf8.DecodeRune(text[valid:]) {
			valid += n
		}
		return bad(valid, "is not UTF-8")
	}
	open, indent, begins := 0, 0, true
	for i, c := range text {
		switch {
		case c == '\n':
			indent, begins = 0, true
		case begins && strings.IndexByte(" \t-?:", c) >= 0:
			indent++
		default:
			begins = false
		}
		switch c {
		case '[', '{':
			open++
		case ']', '}':
			open--
		}
		if open > maxNesting || indent > maxNesting {
			return bad(i, "nests deeper than a configuration can need")
		}
	}
	return nil
}

// maxNesting bounds brackets that are open at a time and columns before the first word of
// a line, comments and strings included: parsers call themselves for each.
const maxNesting = 64

// syntaxProblem is what the parser says, in the form of all problems of files.
func syntaxProblem(source string, err error) *agg.Problem {
	p := &agg.Problem{Code: "bad-yaml", Object: source, Rule: strings.TrimSpace(yaml.FormatError(err, false, false)), Remedy: "write one `option: value` a line"}
	if detailed, ok := errors.AsType[yaml.Error](err); ok {
		p.Rule = detailed.GetMessage()
		if t := detailed.GetToken(); t != nil && t.Position != nil {
			p.Object = at(source, t.Position.Line, t.Position.Column)
		}
	}
	return p
}

func at(source string, line, column int) string { return fmt.Sprintf("%s:%d:%d", source, line, column) }

// validate checks the specs as a whole and says where the file has what is wrong.
func (r *reader) validate(specs []agg.Spec) {
	named := map[string]bool{}
	for _, spec := range specs {
		if named[spec.Name] {
			r.problems = append(r.problems, &agg.Problem{Code: "duplicate-name", Object: r.where(spec.Name, "", ""), Value: spec.Name,
				Rule: "aggregate " + spec.Name + " is configured twice", Remedy: "remove one of them"})
		}
		named[spec.Name] = true
		err := spec.Validate()
		problems, ok := errors.AsType[agg.Problems](err)
		if !ok {
			continue
		}
		for _, p := range problems {
			port := p.Object
			if port == spec.Name {
				port = ""
			}
			p.Object = r.where(spec.Name, port, p.Option)
			p.Fixes = nil // they are words of a command line
			r.problems = append(r.problems, p)
		}
	}
}

// where is the nearest place that the file has for it.
func (r *reader) where(aggregate, port, option string) string {
	for _, p := range []place{{aggregate, port, option}, {aggregate, port, ""}, {aggregate, "", ""}} {
		if text, ok := r.places[p]; ok {
			return text
		}
	}
	return r.source
}

// rename moves what was noted of an aggregate before its name was known.
func (r *reader) rename(from, to string) {
	for p, text := range r.places {
		if p.aggregate == from {
			delete(r.places, p)
			p.aggregate = to
			r.places[p] = text
		}
	}
}

// note remembers where something is said.
func (r *reader) note(p place, node ast.Node) {
	if _, known := r.places[p]; !known {
		r.places[p] = r.position(node)
	}
}

func (r *reader) position(node ast.Node) string {
	if t := node.GetToken(); t != nil && t.Position != nil {
		return at(r.source, t.Position.Line, t.Position.Column)
	}
	return r.source
}

func (r *reader) document(body ast.Node, name string) []agg.Spec {
	flat := agg.Spec{Name: name}
	var several []agg.Spec
	plain := false
	r.each(body, func(key string, k, value ast.Node) {
		switch key {
		case "version":
			if text, _ := scalar(value); text != configVersion {
				r.add(value, "newer-configuration", "version", text, "this yoked reads version "+configVersion, "write `version: "+configVersion+"`")
			}
		case "aggregates":
			several = []agg.Spec{}
			r.each(value, func(name string, k, v ast.Node) {
				spec := agg.Spec{Name: name}
				r.note(place{aggregate: name}, k)
				r.aggregate(&spec, v)
				several = append(several, spec)
			})
		case "name":
			plain = true
			named, _ := scalar(value)
			r.rename(name, named)
			flat.Name, name = named, named
			r.note(place{aggregate: named}, value)
		default:
			plain = true
			r.setting(&flat, key, k, value)
		}
	})
	if plain && several != nil {
		r.add(body, "bad-configuration", "aggregates", "", "stands beside options of a single aggregate", "move those below the aggregate's name")
	}
	if several != nil {
		return several
	}
	return []agg.Spec{flat}
}

func (r *reader) aggregate(spec *agg.Spec, node ast.Node) {
	r.each(node, func(key string, k, value ast.Node) { r.setting(spec, key, k, value) })
}

func (r *reader) setting(spec *agg.Spec, key string, k, value ast.Node) {
	if key == "ports" {
		r.ports(spec, value)
		return
	}
	if _, known := agg.Lookup(key, agg.OfAggregate); !known && len(agg.Near(key, []string{"ports"})) > 0 {
		r.add(k, "unknown-option", key, "", "there is no such option", "did you mean ports?")
		return
	}
	r.option(&spec.Options, agg.OfAggregate, place{aggregate: spec.Name}, key, k, value)
}

// ports reads a list of names or maps, or a map of names.
func (r *reader) ports(spec *agg.Spec, node ast.Node) {
	switch n := node.(type) {
	case *ast.SequenceNode:
		for _, v := range n.Values {
			if r.isMatch(v) {
				spec.Match = append(spec.Match, r.match(spec.Name, v))
				continue
			}
			spec.Ports = append(spec.Ports, r.port(spec.Name, v))
		}
	case *ast.NullNode:
	default:
		r.each(node, func(name string, k, value ast.Node) {
			p := agg.PortSpec{Name: name}
			r.portOptions(spec.Name, &p, value)
			r.note(place{aggregate: spec.Name, port: name}, k)
			spec.Ports = append(spec.Ports, p)
		})
	}
}

// port reads `eth1`, `{name: eth1, prio: 10}` or `eth1: {prio: 10}`.
func (r *reader) port(aggregate string, node ast.Node) agg.PortSpec {
	if name, ok := scalar(node); ok {
		r.note(place{aggregate: aggregate, port: name}, node)
		return agg.PortSpec{Name: name}
	}
	var p agg.PortSpec
	var options []func()
	r.each(node, func(key string, k, value ast.Node) {
		switch {
		case isMap(value) && p.Name == "":
			p.Name = key
			r.portOptions(aggregate, &p, value)
		case key == "name":
			p.Name, _ = scalar(value)
		default: // the name may come behind
			options = append(options, func() { r.option(&p.Options, agg.OfPort, place{aggregate, p.Name, ""}, key, k, value) })
		}
	})
	for _, f := range options {
		f()
	}
	r.note(place{aggregate: aggregate, port: p.Name}, node)
	if p.Name == "" {
		r.add(node, "invalid-port", "ports", "", "a port has no name", "write `- name: eth1`")
	}
	return p
}

// isMatch reports whether an item of ports is a match: a port named match has its options
// below that name, and none of them is a word of matches.
func (r *reader) isMatch(node ast.Node) bool {
	if !isMap(node) {
		return false
	}
	found, named := false, false
	r.each(node, func(key string, _, value ast.Node) {
		found = found || key == "match" && !r.isOptions(value)
		named = named || key == "name"
	})
	return found && !named
}

// isOptions reports whether a mapping holds options of ports alone.
func (r *reader) isOptions(node ast.Node) bool {
	if !isMap(node) {
		return false
	}
	options, others := 0, 0
	r.each(node, func(key string, _, _ ast.Node) {
		if _, known := agg.Lookup(key, agg.OfPort); known {
			options++
		} else {
			others++
		}
	})
	return options > 0 && others == 0
}

// match reads `{match: {driver: virtio_net}, prio: 10}`.
func (r *reader) match(aggregate string, node ast.Node) agg.MatchSpec {
	var m agg.MatchSpec
	r.each(node, func(key string, k, value ast.Node) {
		if key != "match" {
			r.option(&m.Options, agg.OfPort, place{aggregate: aggregate}, key, k, value)
			return
		}
		r.each(value, func(key string, k, value ast.Node) {
			text, ok := scalar(value)
			if !ok {
				r.add(value, "invalid-match", key, "", "wants one value", "write `"+key+": VALUE`")
				return
			}
			if p, ok := errors.AsType[*agg.Problem](m.Match.Set(key, text)); ok {
				r.add(k, p.Code, p.Option, p.Value, p.Rule, p.Remedy)
			}
		})
	})
	return m
}

// isMap reports whether the node has keys; one alone has a type of its own.
func isMap(node ast.Node) bool {
	switch node.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		return true
	default:
		return false
	}
}

func (r *reader) portOptions(aggregate string, p *agg.PortSpec, node ast.Node) {
	if _, none := node.(*ast.NullNode); none {
		return
	}
	r.each(node, func(key string, k, value ast.Node) {
		r.option(&p.Options, agg.OfPort, place{aggregate, p.Name, ""}, key, k, value)
	})
}

func (r *reader) option(to *agg.Settings, scope agg.Scope, of place, key string, k, value ast.Node) {
	text, ok := scalar(value)
	if _, known := agg.Lookup(key, scope); known && !ok {
		r.add(value, "invalid-value", key, "", "wants one value", "write `"+key+": VALUE`")
		return
	}
	if o, known := agg.Lookup(key, scope); known {
		of.option = o.Name
		if _, twice := (*to)[o.Name]; twice {
			r.add(k, "duplicate-option", key, "", "is another name of "+o.Name+", which is given too", "leave one of them out")
			return
		}
	}
	err := to.Set(scope, key, text)
	var p *agg.Problem
	if !errors.As(err, &p) {
		r.note(of, value)
		return
	}
	where := value
	if p.Code == "unknown-option" {
		where = k
	}
	r.add(where, p.Code, p.Option, p.Value, p.Rule, p.Remedy)
}

// each calls f for every key of a mapping, in the order of the file. The parser
// has refused keys that are given twice.
func (r *reader) each(node ast.Node, f func(key string, k, value ast.Node)) {
	var pairs []*ast.MappingValueNode
	switch n := node.(type) {
	case *ast.MappingNode:
		pairs = n.Values
	case *ast.MappingValueNode:
		pairs = []*ast.MappingValueNode{n}
	case *ast.CommentGroupNode, *ast.NullNode:
		return
	default:
		r.add(node, "bad-configuration", "", "", "wants keys and values here", "write one `option: value` a line")
		return
	}
	for _, pair := range pairs {
		f(pair.Key.GetToken().Value, pair.Key, pair.Value)
	}
}

// scalar is the text of a plain value, as it is written.
func scalar(node ast.Node) (string, bool) {
	switch n := node.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.NullNode:
		return "", true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		return node.GetToken().Value, true
	default:
		return "", false
	}
}

func (r *reader) add(node ast.Node, code, option, value, rule, remedy string) {
	r.problems = append(r.problems, &agg.Problem{Code: code, Object: r.position(node), Option: option, Value: value, Rule: rule, Remedy: remedy})
}
