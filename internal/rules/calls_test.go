package rules

import (
	"go/ast"
	"strconv"
	"strings"
	"testing"
)

// callBan forbids the use of some names of a package in some of our packages.
type callBan struct {
	in    []string
	pkg   string
	names []string
	why   string
}

func callBans() []callBan {
	clock := "time is an argument: agg.Instant in, next deadline out"
	return []callBan{
		{core, "time", []string{"Now", "Since", "Until", "After", "AfterFunc", "NewTimer", "NewTicker", "Tick", "Sleep"}, clock},
		{[]string{"engine"}, "time", []string{"Now", "Since", "Until", "Sleep", "Tick"}, "the engine asks its Clock"},
		{below, "net", []string{"Dial", "DialTimeout", "Listen", "ListenPacket", "ListenUDP", "Interfaces", "InterfaceByName", "LookupHost"},
			"no socket at or below the engine"},
		{below, "fmt", []string{"Print", "Printf", "Println"}, "the core returns values and prints nothing"},
	}
}

func TestBannedCalls(t *testing.T) {
	for _, p := range packages(t) {
		for _, b := range callBans() {
			if !underAny(p.path(), b.in) {
				continue
			}
			fset, files := p.parse(t)
			for _, f := range files {
				name, ok := localName(f, b.pkg)
				if !ok {
					continue
				}
				ast.Inspect(f, func(n ast.Node) bool {
					if s, ok := n.(*ast.SelectorExpr); ok && isPackage(s.X, name) && contains(b.names, s.Sel.Name) {
						t.Errorf("%v: %s.%s in %s: %s", fset.Position(n.Pos()), name, s.Sel.Name, p.path(), b.why)
					}
					return true
				})
			}
		}
	}
}

// A netlink handle opens a socket for every family unless told otherwise, and a small
// kernel without xfrm or netfilter refuses that.
func TestNetlinkHandlesNameTheirFamily(t *testing.T) {
	for _, p := range packages(t) {
		fset, files := p.parse(t)
		for _, f := range files {
			name, ok := localName(f, "github.com/vishvananda/netlink")
			if !ok {
				continue
			}
			ast.Inspect(f, func(n ast.Node) bool {
				call, ok := n.(*ast.CallExpr)
				if !ok {
					return true
				}
				s, ok := call.Fun.(*ast.SelectorExpr)
				fixed := map[string]int{"NewHandle": 0, "NewHandleAt": 1, "NewHandleAtFrom": 2}
				if ok && isPackage(s.X, name) {
					if n, is := fixed[s.Sel.Name]; is && len(call.Args) == n {
						t.Errorf("%v: %s without a family opens sockets for xfrm and netfilter too, which small kernels refuse; name unix.NETLINK_ROUTE",
							fset.Position(call.Pos()), s.Sel.Name)
					}
				}
				return true
			})
		}
	}
}

// Goroutines belong to the engine and to what is above it.
func TestNoGoroutinesInTheCore(t *testing.T) {
	for _, p := range packages(t) {
		if !underAny(p.path(), core) {
			continue
		}
		fset, files := p.parse(t)
		for _, f := range files {
			ast.Inspect(f, func(n ast.Node) bool {
				switch n.(type) {
				case *ast.GoStmt, *ast.SelectStmt, *ast.SendStmt, *ast.ChanType:
					t.Errorf("%v: a goroutine or channel in %s: the engine's goroutine owns all state", fset.Position(n.Pos()), p.path())
				}
				return true
			})
		}
	}
}

func TestNoInitFunctions(t *testing.T) {
	for _, p := range packages(t) {
		fset, files := p.parse(t)
		for _, f := range files {
			for _, d := range f.Decls {
				if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
					t.Errorf("%v: init: nothing happens by importing a package", fset.Position(fn.Pos()))
				}
			}
		}
	}
}

// localName returns the name by which a file knows an imported package.
func localName(f *ast.File, path string) (string, bool) {
	for _, i := range f.Imports {
		p, err := strconv.Unquote(i.Path.Value)
		if err != nil || p != path {
			continue
		}
		if i.Name != nil {
			return i.Name.Name, true
		}
		return path[strings.LastIndex(path, "/")+1:], true
	}
	return "", false
}

func isPackage(e ast.Expr, name string) bool {
	id, ok := e.(*ast.Ident)
	return ok && id.Name == name
}
