package tutorial

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/yokelag/yoke/internal/nstest"
	"github.com/yokelag/yoke/test/rig"
)

func TestMain(m *testing.M) { os.Exit(rig.Main(m)) }

// step is one block of commands and the lines that it must print.
type step struct {
	commands string
	prints   []string
}

// steps reads the page: a block of sh, and the block of text behind it where there is one.
func steps(t *testing.T) []step {
	t.Helper()
	page, err := os.ReadFile("../../docs/tutorial.md")
	if err != nil {
		t.Fatal(err)
	}
	var out []step
	for _, m := range regexp.MustCompile("(?ms)^```(sh|text)\n(.*?)^```$").FindAllStringSubmatch(string(page), -1) {
		if m[1] == "sh" {
			out = append(out, step{commands: m[2]})
			continue
		}
		out[len(out)-1].prints = strings.Split(strings.TrimSpace(m[2]), "\n")
	}
	return out
}

// The page works for who types it in: in one shell, block by block, and prints what it says.
func TestTutorialAsWritten(t *testing.T) {
	nstest.Require(t, "root", "veth", "bridge")
	dir, bin := t.TempDir(), rig.Programs(t)
	all := steps(t)
	const mark = "--- end of block"
	var script strings.Builder
	script.WriteString("set -e\nexec 2>&1\n")
	for _, s := range all {
		script.WriteString(s.commands + "echo '" + mark + "'\n")
	}
	cmd := exec.CommandContext(t.Context(), "bash", "-c", script.String())
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"), "TMPDIR="+dir)
	file, err := os.Create(filepath.Join(dir, "output")) // a pipe would stay open as long as the lab stands
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	cmd.Stdout = file
	defer func() {
		down := exec.Command(filepath.Join(bin, "yoke"), "lab", "down", "--lab", "one-switch")
		down.Env = cmd.Env
		_ = down.Run() // fails where the page took it down itself
	}()
	failed := cmd.Run()
	text, err := os.ReadFile(file.Name())
	if err != nil {
		t.Fatal(err)
	}
	if failed != nil {
		t.Fatalf("%v\n%s", failed, text)
	}
	printed := strings.Split(string(text), mark)
	if len(printed) != len(all)+1 {
		t.Fatalf("%d blocks ended of %d\n%s", len(printed)-1, len(all), text)
	}
	for i, s := range all {
		missing := squeeze(printed[i])
		for _, line := range s.prints {
			if !strings.Contains(missing, squeeze(line)) {
				t.Errorf("the page says that\n%sprints %q; it prints\n%s", s.commands, line, printed[i])
			}
		}
	}
}

// squeeze joins blanks, which tables have as many of as they like.
func squeeze(text string) string { return strings.Join(strings.Fields(text), " ") }
