package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/yokelag/yoke/internal/nstest"
	"github.com/yokelag/yoke/test/rig"
)

// pair is a lab that expects nothing, so that no busy machine fails it.
const pair = `version: 1
name: pair
text: Two hosts and a cable.
hosts:
  a: {aggregates: {bond0: {mode: active-backup, ports: [p1]}}}
  b: {aggregates: {bond0: {mode: active-backup, ports: [p1]}}}
cables:
  c1: {ends: ["a:p1", "b:p1"]}
duration: 100ms
`

// Root of a user namespace, as in a container without privileges, runs a lab to its end, also
// where /sys/fs/bpf is not its own.
func TestLabOfAContainersRoot(t *testing.T) {
	nstest.Require(t, "root", "userns", "veth", "bridge")
	const nobody = 65534
	dir := t.TempDir()
	if err := errors.Join(os.Chmod(filepath.Dir(dir), 0o755), os.Chown(dir, nobody, nobody)); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "pair.yaml")
	if err := os.WriteFile(file, []byte(pair), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(filepath.Join(rig.Programs(t), "yoked"), "lab", "run", file, "--plane", "user")
	cmd.Env = append(os.Environ(), "TMPDIR="+dir, "XDG_RUNTIME_DIR="+dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: nobody, Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: nobody, Size: 1}},
		Credential:  &syscall.Credential{Uid: 0, Gid: 0, NoSetGroups: true},
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("it ended with %v:\n%s", err, out)
	}
}
