package lab

import (
	"fmt"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// places are where the parts of a file stand, as "[LINE:COLUMN]", by their path as it is
// in problems: "hosts.a", "faults[0]".
type places map[string]string

// placesDepth is how deep problems point: "switches.NAME.groups.NAME".
const placesDepth = 4

// placesOf reads a text that was read before. What it cannot follow has no place.
func placesOf(text []byte) places {
	p := places{}
	if f, err := parser.ParseBytes(text, 0); err == nil && len(f.Docs) > 0 {
		p.walk("", f.Docs[0].Body, placesDepth)
	}
	return p
}

func (p places) walk(path string, node ast.Node, depth int) {
	if depth == 0 {
		return
	}
	switch n := node.(type) {
	case *ast.SequenceNode:
		for i, v := range n.Values {
			p.put(fmt.Sprintf("%s[%d]", path, i), v, v, depth)
		}
	case *ast.MappingNode:
		for _, pair := range n.Values {
			p.walk(path, pair, depth)
		}
	case *ast.MappingValueNode:
		under := n.Key.GetToken().Value
		if path != "" {
			under = path + "." + under
		}
		p.put(under, n.Key, n.Value, depth)
	}
}

func (p places) put(path string, begin, value ast.Node, depth int) {
	at := begin.GetToken().Position
	p[path] = fmt.Sprintf("[%d:%d]", at.Line, at.Column)
	p.walk(path, value, depth-1)
}

// of is a path with its place before it, or that of what it is a part of.
func (p places) of(path string) string {
	for end := len(path); end > 0; end-- {
		if at, ok := p[path[:end]]; ok {
			return at + " " + path
		}
	}
	return path
}
