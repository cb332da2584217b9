package selftests

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// scenario is one of a file.
type scenario struct {
	title string
	modes []string
	// only are the subjects that it is about, empty for all.
	only  []string
	steps []step
}

// step is one line.
type step struct {
	where string // file and line
	verb  string
	words []string
}

// about reports whether the scenario is about a subject.
func (s scenario) about(subject string) bool {
	return len(s.only) == 0 || slices.Contains(s.only, subject)
}

// scenarios reads all files of testdata.
func scenarios(t *testing.T) (out []scenario) {
	t.Helper()
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scenarios: %v", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		list, err := parse(filepath.Base(file), string(text))
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, list...)
	}
	return out
}

// parse reads one file.
func parse(file, text string) (out []scenario, err error) {
	n := 0
	for line := range strings.Lines(text) {
		n++
		where := fmt.Sprintf("%s:%d", file, n)
		words := strings.Fields(line)
		if len(words) == 0 || words[0] == "#" {
			continue
		}
		if words[0] == "==" {
			out = append(out, scenario{title: strings.Join(words[1:], " ")})
			continue
		}
		if len(out) == 0 {
			return nil, fmt.Errorf("%s: %s stands before the first scenario", where, words[0])
		}
		if err := out[len(out)-1].add(step{where, words[0], words[1:]}); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (s *scenario) add(line step) error {
	switch line.verb {
	case "modes":
		s.modes = line.words
	case "only":
		colon := slices.Index(line.words, ":")
		if colon < 1 || colon == len(line.words)-1 {
			return fmt.Errorf("%s: only needs subjects, a colon and a reason", line.where)
		}
		s.only = line.words[:colon]
	default:
		want, known := verbs()[line.verb]
		switch {
		case !known:
			return fmt.Errorf("%s: there is no step %s", line.where, line.verb)
		case len(s.modes) == 0:
			return fmt.Errorf("%s: the scenario %q has no modes", line.where, s.title)
		case len(line.words) < want.least || len(line.words) > want.most:
			return fmt.Errorf("%s: %s takes %d to %d words", line.where, line.verb, want.least, want.most)
		}
		s.steps = append(s.steps, line)
	}
	return nil
}

// Every file can be read, and says what is wrong with a line that is not right.
func TestTablesAreRead(t *testing.T) {
	if n := len(scenarios(t)); n < 15 {
		t.Errorf("only %d scenarios", n)
	}
	for text, want := range map[string]string{
		"up eth1":                         "stands before",
		"== a\nup eth1":                   "has no modes",
		"== a\nmodes x\njump eth1":        "no step jump",
		"== a\nmodes x\nactive":           "takes 1 to 1",
		"== a\nonly ebpf\nmodes x\nreach": "a colon and a reason",
	} {
		if _, err := parse("f", text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
}
