package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestScript runs the stories of testdata/script with the real binaries. The daemon
// serves a dry run, so nothing needs a privilege. YOKE_UPDATE_SCRIPTS=1 rewrites what
// cmp compares.
func TestScript(t *testing.T) {
	bin := t.TempDir()
	build := exec.Command("go", "build", "-o", bin, "github.com/yokelag/yoke/cmd/yoke", "github.com/yokelag/yoke/cmd/yoked")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireUniqueNames:  true,
		RequireExplicitExec: true,
		UpdateScripts:       os.Getenv("YOKE_UPDATE_SCRIPTS") != "",
		Setup: func(e *testscript.Env) error {
			e.Setenv("PATH", bin+string(os.PathListSeparator)+e.Getenv("PATH"))
			e.Setenv("YOKE_SOCKET", filepath.Join(e.WorkDir, "yoke.sock"))
			e.Setenv("YOKE_STATE_DIR", e.WorkDir)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"answers": answers, "link": setLink, "code": exitCodeIs, "text": text,
		},
	})
}

func eventually(ts *testscript.TestScript, what string, cond func() bool) {
	for end := time.Now().Add(20 * time.Second); !cond(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			ts.Fatalf("waited in vain for %s", what)
		}
	}
}

func command(ts *testscript.TestScript, args []string) (*exec.Cmd, *bytes.Buffer) {
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir = ts.Getenv("WORK")
	cmd.Env = []string{"PATH=" + ts.Getenv("PATH"), "YOKE_SOCKET=" + ts.Getenv("YOKE_SOCKET"), "YOKE_STATE_DIR=" + ts.Getenv("YOKE_STATE_DIR")}
	path, err := findIn(ts.Getenv("PATH"), args[0])
	ts.Check(err)
	cmd.Path, cmd.Err = path, nil
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	return cmd, &out
}

func findIn(path, name string) (string, error) {
	for _, dir := range filepath.SplitList(path) {
		if file := filepath.Join(dir, name); executable(file) {
			return file, nil
		}
	}
	return "", fmt.Errorf("%s is not in %s", name, path)
}

func executable(file string) bool {
	info, err := os.Stat(file)
	return err == nil && info.Mode()&0o111 != 0
}

// answers TEXT COMMAND... waits until the command's output holds the text.
func answers(ts *testscript.TestScript, _ bool, args []string) {
	last := ""
	eventually(ts, fmt.Sprintf("%q of %v", args[0], args[1:]), func() bool {
		cmd, out := command(ts, args[1:])
		_ = cmd.Run()
		last = out.String()
		return strings.Contains(last, args[0])
	})
	ts.Logf("%s", last)
}

// code N COMMAND... runs the command and checks its exit code.
func exitCodeIs(ts *testscript.TestScript, _ bool, args []string) {
	cmd, out := command(ts, args[1:])
	_ = cmd.Run()
	ts.Logf("%s", out)
	if got := fmt.Sprint(cmd.ProcessState.ExitCode()); got != args[0] {
		ts.Fatalf("exit code is %s, not %s", got, args[0])
	}
}

// setLink NAME up|down pulls a cable of the dry run or puts it back.
func setLink(ts *testscript.TestScript, _ bool, args []string) {
	client := http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", ts.Getenv("YOKE_SOCKET"))
	}}}
	body := strings.NewReader(fmt.Sprintf(`{"carrier": %v}`, args[1] == "up"))
	request, err := http.NewRequest(http.MethodPut, "http://yoke/v1/dry/links/"+args[0], body)
	ts.Check(err)
	resp, err := client.Do(request)
	ts.Check(err)
	resp.Body.Close()
	if resp.StatusCode != http.StatusNoContent {
		ts.Fatalf("answer is %s", resp.Status)
	}
}

// text FILE COMMAND... compares the command's output with a file, times aside.
func text(ts *testscript.TestScript, _ bool, args []string) {
	cmd, out := command(ts, args[1:])
	_ = cmd.Run()
	got := withoutTimes(out.String())
	if want := ts.ReadFile(args[0]); got != want {
		ts.Fatalf("%v printed\n%s\nand not, as in %s,\n%s", args[1:], got, args[0], want)
	}
}
