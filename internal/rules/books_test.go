package rules

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
)

func read(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(root(t), name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// Every library that code of ours imports has its sentence.
func TestEveryDependencyHasItsSentence(t *testing.T) {
	book := read(t, "docs/dependencies.md")
	direct := map[string]bool{}
	required := regexp.MustCompile(`(?m)^\t(\S+\.\S+/\S+|\S+\.\S+) v\S+`)
	for _, m := range required.FindAllStringSubmatch(read(t, "go.mod"), -1) {
		for _, p := range packages(t) {
			for _, i := range p.Imports {
				if under(i, m[1]) {
					direct[m[1]] = true
				}
			}
		}
	}
	if len(direct) == 0 {
		t.Fatal("go.mod names no library that is imported; this rule reads it wrongly")
	}
	for library := range direct {
		if !strings.Contains(book, "`"+library+"`") {
			t.Errorf("%s has no sentence in docs/dependencies.md: every import is a colleague, say what it does for us", library)
		}
	}
	for _, m := range regexp.MustCompile("(?m)^\\| `([^`]+)`").FindAllStringSubmatch(book, -1) {
		if !strings.Contains(read(t, "go.mod"), m[1]+" v") && !strings.Contains(read(t, "tools/go.mod"), m[1]+" v") {
			t.Errorf("docs/dependencies.md speaks of %s, which go.mod does not name any more", m[1])
		}
	}
}

func TestEveryTargetIsInContributing(t *testing.T) {
	book := read(t, "CONTRIBUTING.md")
	for _, m := range regexp.MustCompile(`(?m)^([a-z-]+):.*## `).FindAllStringSubmatch(read(t, "Makefile"), -1) {
		if m[1] != "help" && !strings.Contains(book, "`make "+m[1]) {
			t.Errorf("CONTRIBUTING.md does not say what `make %s` is for", m[1])
		}
	}
}

// A link in a page leads to a file that is there, and to a heading of it.
func TestLinksInTheBooksLead(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#:]*)(#[^)]*)?\)`)
	for _, name := range textFiles(t) {
		if !strings.HasSuffix(name, ".md") {
			continue
		}
		for _, m := range link.FindAllStringSubmatch(read(t, name), -1) {
			target := filepath.Join(filepath.Dir(name), m[1])
			if m[1] == "" {
				target = name
			}
			if _, err := os.Stat(filepath.Join(root(t), target)); err != nil {
				t.Errorf("%s links to %s, which is not there", name, m[1])
			} else if m[2] != "" && !slices.Contains(anchors(read(t, target)), m[2]) {
				t.Errorf("%s links to %s%s, which is no heading there", name, m[1], m[2])
			}
		}
	}
}

// anchors are how headings of a page are linked to.
func anchors(page string) (out []string) {
	for line := range strings.Lines(page) {
		if text := strings.TrimLeft(line, "#"); text != line && strings.HasPrefix(text, " ") {
			out = append(out, "#"+strings.Map(slug, strings.ToLower(strings.TrimSpace(text))))
		}
	}
	return out
}

// slug keeps letters, digits and hyphens, and makes hyphens of spaces.
func slug(r rune) rune {
	switch {
	case r == ' ':
		return '-'
	case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
		return r
	default:
		return -1
	}
}
