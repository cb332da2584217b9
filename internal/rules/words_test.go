package rules

import (
	"go/ast"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestEveryPackageSaysWhatItIs(t *testing.T) {
	for _, p := range packages(t) {
		_, files := p.parse(t)
		comments := 0
		for i, f := range files {
			if f.Doc == nil {
				continue
			}
			comments++
			// A program's comment stands beside its main.
			if f.Name.Name != "main" && p.GoFiles[i] != "doc.go" {
				t.Errorf("%s: the package comment is in %s; it belongs in doc.go, where readers look", p.path(), p.GoFiles[i])
			}
		}
		if len(files) > 0 && comments != 1 {
			t.Errorf("%s has %d package comments; it needs one, in doc.go", p.path(), comments)
		}
	}
}

func TestExportedNamesAreDocumented(t *testing.T) {
	for _, p := range packages(t) {
		fset, files := p.parse(t)
		for _, f := range files {
			if ast.IsGenerated(f) || f.Name.Name == "main" {
				continue
			}
			for _, d := range f.Decls {
				for _, id := range undocumented(d) {
					t.Errorf("%v: %s has no comment: what it means, its unit, its range, its errors", fset.Position(id.Pos()), id.Name)
				}
			}
		}
	}
}

// undocumented returns the exported names that a declaration leaves without a comment.
func undocumented(d ast.Decl) []*ast.Ident {
	var out []*ast.Ident
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Name.IsExported() && d.Doc == nil && receiverExported(d) {
			out = append(out, d.Name)
		}
	case *ast.GenDecl:
		for _, s := range d.Specs {
			switch s := s.(type) {
			case *ast.TypeSpec:
				if s.Name.IsExported() && d.Doc == nil && s.Doc == nil {
					out = append(out, s.Name)
				}
			case *ast.ValueSpec:
				if d.Doc == nil && s.Doc == nil && s.Comment == nil {
					for _, n := range s.Names {
						if n.IsExported() {
							out = append(out, n)
						}
					}
				}
			}
		}
	}
	return out
}

func receiverExported(d *ast.FuncDecl) bool {
	if d.Recv == nil || len(d.Recv.List) == 0 {
		return true
	}
	e := d.Recv.List[0].Type
	for {
		switch x := e.(type) {
		case *ast.StarExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.Ident:
			return x.IsExported()
		default:
			return false
		}
	}
}

// textFiles returns the tracked and new text files of the checkout.
func textFiles(t *testing.T) []string {
	t.Helper()
	cmd := exec.Command("git", "ls-files", "-co", "--exclude-standard")
	cmd.Dir = root(t)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("list the files of the checkout: %v", err)
	}
	var files []string
	for name := range strings.SplitSeq(strings.TrimSpace(string(out)), "\n") {
		skip := strings.Contains(name, "testdata/") || strings.HasSuffix(name, ".o") ||
			strings.HasSuffix(name, ".sum") || name == "LICENSE" || strings.HasPrefix(name, "internal/rules/")
		if !skip {
			files = append(files, name)
		}
	}
	return files
}

func TestTheTextIsTheProjectsOwn(t *testing.T) {
	rules := []struct {
		is  *regexp.Regexp
		why string
	}{
		{regexp.MustCompile(`\b(TODO|FIXME|XXX)\b`), "what is unfinished is absent and listed in the README, or in an issue"},
		{regexp.MustCompile(`(?i)not (yet )?implemented`), "a thing that is not built is absent, or is refused by name with what to do instead"},
		{regexp.MustCompile(`(^|[\s"'=(])/(home|root|mnt|srv|opt|work|workspace|builds|Users)/`), "the project does not know where anybody's checkout is"},
	}
	for _, name := range textFiles(t) {
		text, err := os.ReadFile(filepath.Join(root(t), name))
		if err != nil {
			continue // listed, but removed from the tree since
		}
		for n, line := range strings.Split(string(text), "\n") {
			for _, r := range rules {
				if r.is.MatchString(line) {
					t.Errorf("%s:%d: %q: %s", name, n+1, strings.TrimSpace(line), r.why)
				}
			}
		}
	}
}

// Packet sockets and BPF helpers need a licence that the kernel takes as its own.
func TestBPFSourcesAreDualLicensed(t *testing.T) {
	const want = "// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)"
	found := false
	for _, name := range textFiles(t) {
		if !strings.Contains(name, "/bpf/") || !(strings.HasSuffix(name, ".c") || strings.HasSuffix(name, ".h")) {
			continue
		}
		found = true
		text, err := os.ReadFile(filepath.Join(root(t), name))
		if err != nil {
			t.Error(err)
			continue
		}
		if first, _, _ := strings.Cut(string(text), "\n"); strings.TrimSpace(strings.NewReplacer("/*", "//", "*/", "").Replace(first)) != want {
			t.Errorf("%s does not begin with %q: the kernel gives some helpers to GPL programs only", name, want)
		}
	}
	if !found {
		t.Error("there are no BPF sources in a folder named bpf; this rule looks in the wrong place")
	}
}
