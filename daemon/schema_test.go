package daemon

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"pgregory.net/rapid"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/book"
)

//go:generate env YOKE_WRITE_BOOKS=1 go test -count=1 -run ^TestSchemaIsShipped$ .

// docs/yoke.schema.json is what the table of options says.
func TestSchemaIsShipped(t *testing.T) {
	text, err := json.MarshalIndent(configSchema(), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	book.Same(t, "../docs/yoke.schema.json", string(text)+"\n")
}

func compiledSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	text, err := json.Marshal(configSchema())
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("yoke.schema.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("yoke.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// verdicts are those of the schema and of the reader about one text.
func verdicts(s *jsonschema.Schema, text string) (schema, reader error) {
	var doc any
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
		return err, err
	}
	asJSON, err := json.Marshal(doc)
	if err != nil {
		return err, err
	}
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(string(asJSON)))
	if err != nil {
		return err, err
	}
	_, reader = parseConfig("f.yaml", "bond0", []byte(text))
	return s.Validate(value), onlyForm(reader)
}

// onlyForm drops what a schema cannot say: rules of several options, and of names.
func onlyForm(err error) error {
	problems, ok := err.(agg.Problems) //nolint:errorlint // the reader's own type
	if !ok {
		return err
	}
	var out agg.Problems
	for _, p := range problems {
		switch p.Code {
		case "wrong-mode", "duplicate-port", "invalid-name", "own-port", "too-many-ports":
		default:
			out = append(out, p)
		}
	}
	return out.Err()
}

func TestSchemaAndReaderAgreeOnForms(t *testing.T) {
	s := compiledSchema(t)
	for _, text := range []string{
		"ports: [eth1, eth2]", "mode: 1\nports:\n  - eth1\n  - name: eth2\n    prio: 10", "ports:\n  - eth1: {prio: 3}", "ports:\n  eth1:\n  eth2: {prio: 10}",
		"version: 1\naggregates:\n  bond0: {ports: [eth1]}\n  bond1: {mode: balance-xor, ports: {eth2: {weight: 2}}}", "name: lag0\nmiimon: 100ms",
		"mimon: 3", "ports: 7", "ports: [{prio: 3}]", "ports: [[eth1]]", "ports: {eth1: [x]}", "version: 2", "aggregates: {a: {b: 1}}", "aggregates: {a: {ports: [eth1]}}\nmode: 1",
		"mode: [1]", "mode: {a: b}", "aggregates: [a]", "- a", "mtu: 67", "mtu: lots", "mac: 7", "miimon: soon", "fast_path: maybe", "fast_path: yes", "fast_path: true",
		"mode: lacp", "primary: a/b", "primary:",
		"ports: [{match: {driver: tun}}]", "ports:\n  - match: {path: pci-*, driver: 'e1000*'}\n    prio: 3\n  - eth1", "ports: [{match: {permanent-mac: 02:00:00:00:00:01}}]",
		"ports: [{match: {driver: tun}, name: eth1}]", "ports: [{match: {drver: tun}}]", "ports: [{match: {}}]", "ports: [{match: tun}]", "ports: [{match: {driver: tun}, pri: 1}]",
		"ports: [{match: {permanent-mac: 03:00:00:00:00:01}}]", "ports: [{match: {driver: [tun]}}]", "ports: [match]", "ports: [match: {prio: 10}]",
		"ports: [{name: eth1, pri: 1}]", "slaves: eth1",
	} {
		schema, reader := verdicts(s, text)
		if (schema == nil) != (reader == nil) {
			t.Errorf("%q: schema says %v, reader says %v", text, schema, reader)
		}
	}
}

// Every option with values inside and outside of what it takes.
func TestSchemaAndReaderAgreeOnEveryOption(t *testing.T) {
	s := compiledSchema(t)
	rapid.Check(t, func(t *rapid.T) {
		o := rapid.SampledFrom(agg.Options()).Draw(t, "option")
		name := rapid.SampledFrom(append([]string{o.Name}, o.Aliases...)).Draw(t, "name")
		value := drawValue(t, o)
		text := fmt.Sprintf("%s: %s\n", name, value)
		if o.Scope&agg.OfAggregate == 0 {
			text = fmt.Sprintf("ports: [{name: eth1, %s: %s}]\n", name, value)
		}
		if o.Name == "mode" || len(o.Planes) > 0 { // that only one plane has it is a rule about two options
			text = "plane: bonding\n" + text
		}
		schema, reader := verdicts(s, text)
		if (schema == nil) != (reader == nil) {
			t.Fatalf("%q: schema says %v, reader says %v", text, schema, reader)
		}
	})
}

func drawValue(t *rapid.T, o agg.Option) string {
	kinds := []func() string{
		func() string {
			return rapid.SampledFrom([]string{"true", "off", "[a]", "{a: b}", "nonsense"}).Draw(t, "odd")
		},
	}
	switch o.Kind {
	case agg.KindEnum:
		kinds = append(kinds, func() string { return rapid.SampledFrom(o.Values).Draw(t, "value").Text },
			func() string { return strconv.Itoa(rapid.IntRange(-1, 9).Draw(t, "number")) })
	case agg.KindInt, agg.KindDuration:
		kinds = append(kinds, func() string {
			return strconv.FormatInt(rapid.OneOf(rapid.Int64Range(o.Min-2, o.Min+2), rapid.Int64Range(o.Max-2, o.Max+2), rapid.Int64Range(o.Min, o.Max)).Draw(t, "number"), 10)
		})
	case agg.KindList:
		if len(o.Values) > 0 {
			kinds = append(kinds, func() string {
				words := rapid.SliceOfN(rapid.SampledFrom(o.Values), 1, 4).Draw(t, "words")
				texts := make([]string, len(words))
				for i, w := range words {
					texts[i] = w.Text
				}
				return strconv.Quote(strings.Join(texts, rapid.SampledFrom([]string{",", ", ", ";"}).Draw(t, "separator")))
			})
		}
	case agg.KindName:
		kinds = append(kinds, func() string { return rapid.StringMatching(`[a-z]{1,18}`).Draw(t, "name") })
	case agg.KindMAC:
		kinds = append(kinds, func() string { return rapid.StringMatching(`02(:[0-9a-f]{2}){4,6}`).Draw(t, "mac") })
	case agg.KindBool, agg.KindText: // the odd values will do
	}
	return kinds[rapid.IntRange(0, len(kinds)-1).Draw(t, "kind")]()
}

// What save writes is read as what it was.
func TestSavedFilesAreReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		spec := agg.Spec{Name: rapid.StringMatching(`[a-z][a-z0-9.-]{0,10}|1e5|null|on`).Draw(t, "name"), Options: agg.Settings{}}
		for range rapid.IntRange(0, 6).Draw(t, "options") {
			o := rapid.SampledFrom(agg.Options()).Draw(t, "option")
			_ = spec.Options.Set(agg.OfAggregate, o.Name, drawValue(t, o)) // refused where it is not for aggregates
		}
		for i := range rapid.IntRange(0, 3).Draw(t, "ports") {
			p := agg.PortSpec{Name: fmt.Sprintf("%s%d", rapid.SampledFrom([]string{"eth", "1e", "0x", "no"}).Draw(t, "port"), i)}
			_ = p.Options.Set(agg.OfPort, "prio", strconv.Itoa(rapid.IntRange(-9, 9).Draw(t, "prio")))
			spec.Ports = append(spec.Ports, p)
		}
		if spec.Validate() != nil {
			t.Skip("not a spec")
		}
		text, err := configText(spec)
		if err != nil {
			t.Fatal(err)
		}
		got, err := parseConfig("f.yaml", "other", text)
		if err != nil || len(got) != 1 || strings.Join(got[0].Args(), " ") != strings.Join(spec.Args(), " ") || got[0].Name != spec.Name {
			t.Fatalf("%s\nread as %+v, %v", text, got, err)
		}
	})
}
