package lacptest_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/yokelag/yoke/lacp"
	"github.com/yokelag/yoke/lacp/lacptest"
)

var update = flag.Bool("update", false, "write the transcripts in testdata anew")

func ours(cfg lacp.Config) (lacptest.Subject, error) { return lacp.New(cfg) }

// TestScenarios plays the suite with lacp.System.
func TestScenarios(t *testing.T) {
	all, err := lacptest.Scenarios()
	if err != nil || len(all) == 0 {
		t.Fatalf("no scenarios: %v", err)
	}
	ids := map[string]bool{}
	for _, s := range all {
		ids[s.ID] = true
	}
	for id := 1; id <= 76; id++ {
		if !ids[fmt.Sprintf("%02d", id)] {
			t.Errorf("scenario %02d is missing", id)
		}
	}
	for _, s := range all {
		t.Run(s.Name, func(t *testing.T) {
			got, err := lacptest.Play(s.Text, ours)
			if err != nil {
				t.Fatalf("%v\n%s", err, got)
			}
			if said, asked := lines(got); said < asked {
				t.Errorf("%d lines of commands have a transcript of %d lines", asked, said)
			}
			if *update {
				if err := os.WriteFile("testdata/"+s.Name+".txt", []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			} else if got != s.Text {
				t.Errorf("got:\n%s", got)
			}
		})
	}
}

// Scenario 76 is real kernels: its text names the tests that play it, and they are there.
func TestRealKernelsArePlayed(t *testing.T) {
	all, err := lacptest.Scenarios()
	if err != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(all, func(s lacptest.Scenario) bool { return s.ID == "76" })
	if at < 0 {
		t.Fatal("it is missing")
	}
	named := 0
	for line := range strings.Lines(all[at].Text) {
		words := strings.Fields(strings.TrimPrefix(line, "#"))
		if len(words) != 2 || !strings.HasPrefix(words[1], "Test") {
			continue
		}
		named++
		if !declared(t, filepath.Join("..", "..", words[0]), words[1]) {
			t.Errorf("%s has no %s", words[0], words[1])
		}
	}
	if named == 0 {
		t.Error("it names no test")
	}
}

func declared(t *testing.T, dir, test string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(files, func(file string) bool {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Contains(string(text), "func "+test+"(")
	})
}

// lines counts the transcript's lines and those of the stimulus: what makes something
// happen, without what sets up, shows and expects.
func lines(text string) (said, asked int) {
	for line := range strings.Lines(text) {
		word, _, _ := strings.Cut(line, " ")
		switch {
		case strings.HasPrefix(line, "  "):
			said++
		case word == "up" || word == "down" || word == "run" || word == "skip" || word == "link":
			asked++
		}
	}
	return said, asked
}
