package book

import (
	"os"
	"strings"
	"testing"
)

// writing is the variable that makes tests write pages instead of judging them.
const writing = "YOKE_WRITE_BOOKS"

// Same fails the test where the file is not want, or writes it for `make generate`.
func Same(t testing.TB, path, want string) {
	t.Helper()
	if got, err := os.ReadFile(path); err == nil && string(got) == want {
		return
	}
	if os.Getenv(writing) == "" {
		t.Fatalf("%s is not what the program says; write it with `make generate`", path)
	}
	if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}

// Section is Same for the part of a file that is between the lines begin and end.
func Section(t testing.TB, path, begin, end, want string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(text), begin)
	_, after, ended := strings.Cut(rest, end)
	if !found || !ended {
		t.Fatalf("%s has no lines %q and %q", path, begin, end)
	}
	Same(t, path, before+begin+want+end+after)
}
