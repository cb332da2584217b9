package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/yokelag/yoke/agg"
)

// nestedVariable marks a process that runs in a user namespace made by Reexec.
const nestedVariable = "YOKE_LAB_NESTED"

// Privileged reports whether this process can make network namespaces itself. It tries,
// on a thread that is thrown away.
func Privileged() bool {
	result := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends here
		result <- unix.Unshare(unix.CLONE_NEWNET)
	}()
	return <-result == nil
}

// Nested reports whether this process is root only in a user namespace made for it.
func Nested() bool { return os.Getenv(nestedVariable) != "" }

// Reexec runs this program again with the same arguments, as root of a new user
// namespace, and returns its exit code. It is for processes that are not Privileged.
func Reexec(ctx context.Context) (int, error) {
	if Nested() {
		return 1, &agg.Problem{Code: "no-namespaces", Rule: "this kernel does not let a user namespace make network namespaces", Remedy: "run it as root"}
	}
	cmd, err := nestedCommand(os.Args[1:])
	if err != nil {
		return 1, err
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	// Ctrl-C is for this process alone, which passes it on: twice would be told to end at once.
	cmd.SysProcAttr.Setpgid = true
	// The child ends with this thread, so the thread must not end before it.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := cmd.Start(); err != nil {
		return 1, userNamespaceProblem(err)
	}
	// This process waits until the child has cleaned up.
	stop := context.AfterFunc(ctx, func() { _ = cmd.Process.Signal(syscall.SIGTERM) })
	defer stop()
	err = cmd.Wait()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return max(exit.ExitCode(), 1), nil
	}
	return cmd.ProcessState.ExitCode(), err
}

// nestedCommand is this program, as root of a user namespace of its own.
func nestedCommand(args []string) (*exec.Cmd, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	cmd := exec.Command(self, args...)
	cmd.Args[0] = os.Args[0] // it complains by the name that was typed
	cmd.Env = append(os.Environ(), nestedVariable+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}},
		Pdeathsig:   syscall.SIGKILL,
	}
	return cmd, nil
}

func userNamespaceProblem(err error) error {
	return &agg.Problem{Code: "no-user-namespace",
		Rule:   fmt.Sprintf("an ordinary user needs user namespaces for this, and the system refuses one (%v)", err),
		Remedy: "run it as root, or allow them: `sysctl kernel.unprivileged_userns_clone=1` (Debian), `sysctl kernel.apparmor_restrict_unprivileged_userns=0` (Ubuntu)"}
}
