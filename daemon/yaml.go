package daemon

import (
	"errors"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"github.com/yokelag/yoke/agg"
)

// reader turns a YAML file into specs and collects problems with line and column.
type reader struct {
	source   string
	problems agg.Problems
}

// parseConfig reads the text of a file. name is the aggregate's where the file does not
// say.
func parseConfig(source, name string, text []byte) ([]agg.Spec, error) {
	file, err := parser.ParseBytes(text, 0)
	if err != nil {
		return nil, &agg.Problem{Code: "bad-yaml", Object: source, Rule: strings.TrimSpace(yaml.FormatError(err, false, true)),
			Remedy: "write one `option: value` a line"}
	}
	r := &reader{source: source}
	var specs []agg.Spec
	for _, doc := range file.Docs {
		if doc.Body != nil {
			specs = append(specs, r.document(doc.Body, name)...)
		}
	}
	return specs, r.problems.Err()
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
			r.each(value, func(name string, _, v ast.Node) {
				spec := agg.Spec{Name: name}
				r.aggregate(&spec, v)
				several = append(several, spec)
			})
		case "name":
			plain = true
			flat.Name, _ = scalar(value)
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
	r.option(&spec.Options, agg.OfAggregate, key, k, value)
}

// ports reads a list of names or maps, or a map of names.
func (r *reader) ports(spec *agg.Spec, node ast.Node) {
	switch n := node.(type) {
	case *ast.SequenceNode:
		for _, v := range n.Values {
			spec.Ports = append(spec.Ports, r.port(v))
		}
	case *ast.NullNode:
	default:
		r.each(node, func(name string, _, value ast.Node) {
			p := agg.PortSpec{Name: name}
			r.portOptions(&p, value)
			spec.Ports = append(spec.Ports, p)
		})
	}
}

// port reads `eth1`, `{name: eth1, prio: 10}` or `eth1: {prio: 10}`.
func (r *reader) port(node ast.Node) agg.PortSpec {
	if name, ok := scalar(node); ok {
		return agg.PortSpec{Name: name}
	}
	var p agg.PortSpec
	r.each(node, func(key string, k, value ast.Node) {
		if _, isMap := value.(*ast.MappingNode); isMap && p.Name == "" {
			p.Name = key
			r.portOptions(&p, value)
			return
		}
		if key == "name" {
			p.Name, _ = scalar(value)
			return
		}
		r.option(&p.Options, agg.OfPort, key, k, value)
	})
	if p.Name == "" {
		r.add(node, "invalid-port", "ports", "", "a port has no name", "write `- name: eth1`")
	}
	return p
}

func (r *reader) portOptions(p *agg.PortSpec, node ast.Node) {
	if _, none := node.(*ast.NullNode); none {
		return
	}
	r.each(node, func(key string, k, value ast.Node) { r.option(&p.Options, agg.OfPort, key, k, value) })
}

func (r *reader) option(to *agg.Settings, scope agg.Scope, key string, k, value ast.Node) {
	text, ok := scalar(value)
	if !ok {
		r.add(value, "invalid-value", key, "", "wants one value", "write `"+key+": VALUE`")
		return
	}
	err := to.Set(scope, key, text)
	var p *agg.Problem
	if !errors.As(err, &p) {
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
	at := r.source
	if t := node.GetToken(); t != nil && t.Position != nil {
		at = fmt.Sprintf("%s:%d:%d", r.source, t.Position.Line, t.Position.Column)
	}
	r.problems = append(r.problems, &agg.Problem{Code: code, Object: at, Option: option, Value: value, Rule: rule, Remedy: remedy})
}
