package daemon

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/yokelag/yoke/agg"
)

// schemaObject is a JSON object.
type schemaObject = map[string]any

// configSchema is the JSON Schema of configuration files, from the table of options. It
// judges one file as the reader of files does, but for what depends on several options:
// those rules are said when the file is read.
func configSchema() schemaObject {
	single := aggregateSchema()
	properties := single["properties"].(schemaObject) //nolint:forcetypeassert // it is made so
	properties["version"] = schemaObject{"enum": []any{1, configVersion}, "description": "The version of the format."}
	properties["name"] = schemaObject{"type": "string", "description": "The aggregate's name; without it that of the file counts."}
	return schemaObject{
		"$schema":     "https://json-schema.org/draft/2020-12/schema",
		"title":       "Yoke configuration",
		"description": "A file of /etc/yoke: one aggregate, named by `name` or else by the file, or several below `aggregates`.",
		"if":          schemaObject{"required": []any{"aggregates"}},
		"then": schemaObject{
			"type": "object", "additionalProperties": false,
			"properties": schemaObject{
				"version":    properties["version"],
				"aggregates": schemaObject{"type": []any{"object", "null"}, "additionalProperties": schemaObject{"$ref": "#/$defs/aggregate"}},
			},
		},
		"else":  single,
		"$defs": schemaObject{"aggregate": aggregateSchema(), "port": portSchema(), "portOptions": portOptionsSchema(), "match": matchSchema()},
	}
}

func aggregateSchema() schemaObject {
	properties := settingsSchema(agg.OfAggregate)
	named := schemaObject{"allOf": []any{schemaObject{"$ref": "#/$defs/port"}, schemaObject{"required": []any{"name"}, "properties": schemaObject{"name": schemaObject{"minLength": 1}}}}}
	properties["ports"] = schemaObject{
		"description": "The ports, in order: names, maps of a name and options, or maps of what to match by and options.",
		"anyOf": []any{
			schemaObject{"type": "array", "items": schemaObject{"anyOf": []any{
				schemaObject{"type": []any{"string", "number", "boolean"}, "minLength": 1}, named, schemaObject{"$ref": "#/$defs/match"},
				schemaObject{"type": "object", "minProperties": 1, "maxProperties": 1, "not": schemaObject{"anyOf": []any{schemaObject{"required": []any{"name"}}, schemaObject{"properties": schemaObject{"match": schemaObject{"maxProperties": 0}}, "required": []any{"match"}}}}, "additionalProperties": schemaObject{"$ref": "#/$defs/portOptions"}},
			}}},
			schemaObject{"type": []any{"object", "null"}, "additionalProperties": schemaObject{"anyOf": []any{schemaObject{"type": "null"}, schemaObject{"$ref": "#/$defs/portOptions"}}}},
		},
	}
	return schemaObject{"type": []any{"object", "null"}, "additionalProperties": false, "properties": properties}
}

// portSchema is a port with its name beside its options.
func portSchema() schemaObject {
	properties := settingsSchema(agg.OfPort)
	properties["name"] = schemaObject{"type": "string"}
	return schemaObject{"type": "object", "additionalProperties": false, "properties": properties}
}

// matchSchema is what to match interfaces by, beside the options of those that fit.
func matchSchema() schemaObject {
	properties := settingsSchema(agg.OfPort)
	word := schemaObject{"type": []any{"string", "number", "boolean"}, "pattern": `^[^\s,]+$`}
	properties["match"] = schemaObject{
		"description": "What an interface must be to be a port; all that is said must hold. path and driver may be patterns as of the shell.",
		"type":        "object", "additionalProperties": false, "minProperties": 1,
		"properties": schemaObject{"permanent-mac": schemaObject{"type": "string", "pattern": macPattern}, "path": word, "driver": word},
	}
	return schemaObject{"type": "object", "additionalProperties": false, "required": []any{"match"}, "properties": properties}
}

// macPattern is one station's Ethernet address.
const macPattern = "^[0-9a-fA-F][02468aceACE]((:[0-9a-fA-F]{2}){5}|(-[0-9a-fA-F]{2}){5}|[0-9a-fA-F]{2}(\\.[0-9a-fA-F]{4}){2})$"

// portOptionsSchema is a port whose name is the key.
func portOptionsSchema() schemaObject {
	return schemaObject{"type": "object", "additionalProperties": false, "properties": settingsSchema(agg.OfPort)}
}

func settingsSchema(scope agg.Scope) schemaObject {
	out := schemaObject{}
	for _, o := range agg.Options() {
		if o.Scope&scope == 0 || !o.Built {
			continue
		}
		for _, name := range append([]string{o.Name}, o.Aliases...) {
			s := valueSchema(&o)
			s["description"] = o.Doc
			if name != o.Name {
				s["description"], s["deprecated"] = "Another name of "+o.Name+".", true
			}
			out[name] = s
		}
	}
	return out
}

// valueSchema is what an option takes: text as on the command line, or YAML's own type.
func valueSchema(o *agg.Option) schemaObject {
	switch o.Kind {
	case agg.KindEnum:
		return schemaObject{"enum": enumWords(o)}
	case agg.KindBool:
		return schemaObject{"anyOf": []any{schemaObject{"type": "boolean"}, schemaObject{"enum": []any{0, 1}},
			schemaObject{"type": "string", "pattern": "^(?:[oO][nN]|[oO][fF][fF]|[tT][rR][uU][eE]|[fF][aA][lL][sS][eE]|[yY][eE][sS]|[nN][oO]|0|1)$"}}}
	case agg.KindInt:
		return schemaObject{"anyOf": []any{schemaObject{"type": "integer", "minimum": o.Min, "maximum": o.Max}, schemaObject{"type": "string", "pattern": "^[-+]?[0-9]+$"}}}
	case agg.KindDuration:
		return schemaObject{"anyOf": []any{schemaObject{"type": "integer", "minimum": o.Min, "maximum": o.Max},
			schemaObject{"type": "string", "pattern": `^[-+]?([0-9]+|([0-9]+(\.[0-9]*)?(ns|us|µs|ms|s|m|h))+)$`}},
			"examples": []any{"100ms", fmt.Sprintf("%d (in units of %v)", o.Min+1, o.Bare)}}
	case agg.KindName:
		return schemaObject{"type": []any{"string", "number", "boolean", "null"}, "maxLength": 15, "pattern": `^[^/:\s]*$`}
	case agg.KindMAC:
		return schemaObject{"type": "string", "pattern": macPattern}
	case agg.KindList:
		if len(o.Values) > 0 {
			return listSchema(o)
		}
	case agg.KindText:
	}
	return schemaObject{"type": []any{"string", "number", "boolean", "null"}}
}

// listSchema is a text of words with commas.
func listSchema(o *agg.Option) schemaObject {
	var words []string
	for _, v := range o.Values {
		words = append(words, regexp.QuoteMeta(v.Text))
	}
	word := "(?:" + strings.Join(words, "|") + ")"
	return schemaObject{"type": []any{"string", "null"}, "pattern": `^\s*(?:` + word + `(?:\s*,\s*` + word + `)*)?\s*$`, "examples": []any{o.Teamd}}
}

// enumWords are the words and numbers of the values that work.
func enumWords(o *agg.Option) []any {
	var out []any
	for _, v := range o.Values {
		if v.NotBuilt {
			continue
		}
		out = append(out, v.Text)
		for _, a := range v.Aliases {
			out = append(out, a)
		}
		if v.Number >= 0 {
			out = append(out, v.Number, strconv.Itoa(v.Number))
		}
	}
	return out
}
