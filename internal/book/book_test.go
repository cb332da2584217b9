package book

import (
	"os"
	"path/filepath"
	"testing"
)

func TestSectionLeavesTheRestAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "page.md")
	if err := os.WriteFile(path, []byte("above\n<!-- begin -->\nold\n<!-- end -->\nbelow\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv(writing, "1")
	Section(t, path, "<!-- begin -->\n", "<!-- end -->\n", "new\n")
	t.Setenv(writing, "")
	Same(t, path, "above\n<!-- begin -->\nnew\n<!-- end -->\nbelow\n")
}
