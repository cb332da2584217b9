package control

import (
	"encoding"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/book"
)

//go:generate env YOKE_WRITE_BOOKS=1 go test -count=1 -run ^TestOpenAPIIsFresh$ .

// openapi.json is what the types and their comments say.
func TestOpenAPIIsFresh(t *testing.T) {
	g := generator{schemas: map[string]any{}, docs: docs(t, ".", "../agg")}
	text, err := json.MarshalIndent(g.document(), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	book.Same(t, "openapi.json", string(text)+"\n")
}

type object = map[string]any

// generator makes the description; schemas are those of named types.
type generator struct {
	schemas object
	docs    map[string]string // comments, by TYPE or TYPE.FIELD
}

func (g *generator) document() object {
	paths := object{}
	for _, c := range Calls() {
		item, ok := paths[c.Path].(object)
		if !ok {
			item = object{}
			paths[c.Path] = item
		}
		item[strings.ToLower(c.Method)] = g.operation(c)
	}
	return object{
		"openapi":    "3.1.0",
		"info":       object{"title": "Yoke", "version": "1", "description": g.docs["package control"]},
		"servers":    []any{object{"url": "http://yoke", "description": "HTTP over the UNIX socket " + DefaultSocket}},
		"paths":      paths,
		"components": object{"schemas": g.schemas},
	}
}

func (g *generator) operation(c Call) object {
	op := object{"summary": c.Doc, "responses": object{
		"200":     object{"description": "Done.", "content": g.content(c.Answer, c.Content)},
		"default": object{"description": "Refused or failed, and nothing was changed but what the problems say.", "content": g.content(ErrorBody{}, "")},
	}}
	parameters := []any{object{"name": NamespaceHeader, "in": "header", "schema": object{"type": "integer"},
		"description": "Inode of the client's network namespace; needed where /proc does not tell the daemon."}}
	for _, m := range regexp.MustCompile(`{(\w+)}`).FindAllStringSubmatch(c.Path, -1) {
		parameters = append(parameters, object{"name": m[1], "in": "path", "required": true, "schema": object{"type": "string"}})
	}
	for _, q := range c.Query {
		parameters = append(parameters, object{"name": q.Name, "in": "query", "schema": object{"type": "string"}, "description": q.Doc})
	}
	op["parameters"] = parameters
	if c.Request != nil {
		op["requestBody"] = object{"required": true, "content": g.content(c.Request, "")}
	}
	return op
}

func (g *generator) content(v any, kind string) object {
	if kind == "" {
		kind = "application/json"
	}
	if v == nil {
		return object{kind: object{"schema": object{"type": "string"}}}
	}
	return object{kind: object{"schema": g.schema(reflect.TypeOf(v))}}
}

func (g *generator) schema(t reflect.Type) object {
	marshals := func(want reflect.Type) bool { return t.Implements(want) || reflect.PointerTo(t).Implements(want) }
	switch {
	case t == reflect.TypeFor[time.Time]():
		return object{"type": "string", "format": "date-time"}
	case t == reflect.TypeFor[agg.Instant]():
		return object{"type": "integer", "description": g.docs["Instant"]}
	case t.Kind() != reflect.Pointer && marshals(reflect.TypeFor[encoding.TextMarshaler]()):
		return object{"type": "string"}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return g.schema(t.Elem())
	case reflect.Struct:
		return g.reference(t)
	case reflect.Slice, reflect.Array:
		return object{"type": []any{"array", "null"}, "items": g.schema(t.Elem())}
	case reflect.Map:
		return object{"type": "object", "additionalProperties": g.schema(t.Elem())}
	case reflect.String:
		return object{"type": "string"}
	case reflect.Bool:
		return object{"type": "boolean"}
	case reflect.Interface:
		return object{}
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return object{"type": "integer", "minimum": 0}
	default:
		return object{"type": "integer"}
	}
}

// reference puts a struct among the schemas and refers to it.
func (g *generator) reference(t reflect.Type) object {
	ref := object{"$ref": "#/components/schemas/" + t.Name()}
	if _, done := g.schemas[t.Name()]; done {
		return ref
	}
	schema := object{"type": "object", "description": g.docs[t.Name()]}
	g.schemas[t.Name()] = schema
	properties, required := object{}, []any{}
	g.fields(t, properties, &required)
	schema["properties"] = properties
	if len(required) > 0 {
		schema["required"] = required
	}
	return ref
}

func (g *generator) fields(t reflect.Type, properties object, required *[]any) {
	for f := range t.Fields() {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Anonymous && name == "" {
			g.fields(f.Type, properties, required)
			continue
		}
		if name == "-" {
			continue
		}
		schema := g.schema(f.Type)
		if doc := g.docs[t.Name()+"."+f.Name]; doc != "" {
			schema["description"] = doc
		}
		properties[name] = schema
		if !strings.Contains(options, "omit") {
			*required = append(*required, name)
		}
	}
}

// docs reads the comments of types and fields.
func docs(t *testing.T, dirs ...string) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, dir := range dirs {
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			if f.Doc != nil {
				out["package "+f.Name.Name] = text(f.Doc)
			}
			ast.Inspect(f, func(n ast.Node) bool { return note(n, out) })
		}
	}
	return out
}

func note(n ast.Node, out map[string]string) bool {
	d, ok := n.(*ast.GenDecl)
	if !ok {
		return true
	}
	for _, s := range d.Specs {
		ts, ok := s.(*ast.TypeSpec)
		if !ok {
			continue
		}
		out[ts.Name.Name] = text(d.Doc)
		st, ok := ts.Type.(*ast.StructType)
		if !ok {
			continue
		}
		for _, f := range st.Fields.List {
			for _, name := range f.Names {
				if doc := text(f.Doc) + text(f.Comment); doc != "" {
					out[ts.Name.Name+"."+name.Name] = doc
				}
			}
		}
	}
	return false
}

func text(c *ast.CommentGroup) string {
	if c == nil {
		return ""
	}
	return strings.TrimSpace(strings.ReplaceAll(c.Text(), "\n", " "))
}
