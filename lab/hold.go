package lab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/yokelag/yoke/agg"
)

// A standing lab is held by a process that serves one socket. Whoever may open the
// socket may run programs in the lab's hosts; it lies in a directory of the user's own.

// request is what the holder is asked. Files follow it as SCM_RIGHTS: standard input,
// output and error.
type request struct {
	// Do is "exec", "signal" (of the program that this connection started) or "down".
	Do     string   `json:"do"`
	Host   string   `json:"host,omitempty"`
	Args   []string `json:"args,omitempty"`
	Env    []string `json:"env,omitempty"`
	Dir    string   `json:"dir,omitempty"`
	Signal int      `json:"signal,omitempty"`
}

// reply ends a request.
type reply struct {
	Code  int    `json:"code"`
	Error string `json:"error,omitempty"`
}

// requestMax bounds a request: the arguments and the environment of a program.
const requestMax = 128 << 10

// DirVariable is the environment variable that names the directory of the sockets of
// standing labs.
const DirVariable = "YOKE_LAB_DIR"

// holdDir is where the sockets of this user's standing labs are.
func holdDir() string {
	if dir := os.Getenv(DirVariable); dir != "" {
		return dir
	}
	return filepath.Join(os.TempDir(), fmt.Sprintf("yoke-lab-%d", os.Geteuid()))
}

// safe reports whether a directory is this user's and closed to others, so that nobody
// else answers on its sockets.
func safe(dir string) bool {
	var st unix.Stat_t
	return unix.Lstat(dir, &st) == nil && st.Mode&unix.S_IFMT == unix.S_IFDIR &&
		st.Mode&0o077 == 0 && int(st.Uid) == os.Geteuid()
}

// Standing lists the names of the labs that stand, sorted.
func Standing() []string {
	if !safe(holdDir()) {
		return nil
	}
	sockets, _ := filepath.Glob(filepath.Join(holdDir(), "*.sock")) // the pattern is valid
	var names []string
	for _, s := range sockets {
		if c, err := net.Dial("unixpacket", s); err == nil {
			_ = c.Close()
			names = append(names, strings.TrimSuffix(filepath.Base(s), ".sock"))
		}
	}
	slices.Sort(names)
	return names
}

// standing finds the socket of a lab, or of the only one where name is empty.
func standing(name string) (string, error) {
	names := Standing()
	switch {
	case name == "" && len(names) == 1:
		name = names[0]
	case name == "" && len(names) > 1:
		return "", &agg.Problem{Code: "several-labs", Rule: "several labs stand: " + strings.Join(names, ", "), Remedy: "choose one with --lab NAME"}
	case name == "" || !slices.Contains(names, name):
		return "", &agg.Problem{Code: "no-lab", Object: name, Rule: "no such lab stands", Remedy: "`yoke lab up one-switch` makes one"}
	}
	return filepath.Join(holdDir(), name+".sock"), nil
}

// Hold builds the lab and serves it until ctx ends or it is taken down. ready is called
// once it stands.
func Hold(ctx context.Context, file *File, o Options, ready func()) error {
	if slices.Contains(Standing(), file.Name) {
		return &agg.Problem{Code: "lab-stands", Object: file.Name, Rule: "this lab stands already", Remedy: "`yoke lab down --lab " + file.Name + "`"}
	}
	listener, err := listen(file.Name)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { _ = listener.Close() })
	defer stop()
	defer func() { _ = os.Remove(holdDir()) }() // succeeds where it is empty
	l, err := Build(ctx, file, o)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	ready()
	h := holder{lab: l, down: cancel, gone: make(chan struct{})}
	err = h.serve(listener)
	l.endResidents()
	h.closeErr = l.Close()
	close(h.gone)
	h.wg.Wait() // whoever asked for it is told
	return errors.Join(err, h.closeErr)
}

func listen(name string) (*net.UnixListener, error) {
	dir := holdDir()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make %s: %w", dir, err)
	}
	if !safe(dir) {
		return nil, &agg.Problem{Code: "unsafe-directory", Object: dir, Rule: "must be a directory of yours that no one else may enter", Remedy: "`rm -r " + dir + "`"}
	}
	path := filepath.Join(dir, name+".sock")
	_ = os.Remove(path) // left by a holder that was killed: nobody answered on it
	l, err := net.ListenUnix("unixpacket", &net.UnixAddr{Name: path, Net: "unixpacket"})
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", path, err)
	}
	return l, nil
}

// holder serves a standing lab.
type holder struct {
	lab  *Lab
	down context.CancelFunc
	wg   sync.WaitGroup
	// gone is closed when the lab has been taken down, with closeErr.
	gone     chan struct{}
	closeErr error
}

func (h *holder) serve(l *net.UnixListener) error {
	for {
		c, err := l.AcceptUnix()
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("accept: %w", err)
		}
		h.wg.Go(func() {
			defer c.Close()
			h.handle(c)
		})
	}
}

func (h *holder) handle(c *net.UnixConn) {
	r, files, err := readRequest(c)
	defer func() {
		for _, f := range files {
			_ = f.Close()
		}
	}()
	if err != nil {
		return // a look whether the lab stands
	}
	answer := reply{}
	switch r.Do {
	case "exec":
		answer = h.exec(c, r, files)
	case "down":
		h.down()
		<-h.gone
		if h.closeErr != nil {
			answer = reply{Code: 1, Error: h.closeErr.Error()}
		}
	default:
		answer = reply{Code: 1, Error: "unknown request " + r.Do}
	}
	text, _ := json.Marshal(answer) // a plain struct
	_, _ = c.Write(text)            // the other end may be gone
}

func (h *holder) exec(c *net.UnixConn, r request, files []*os.File) reply {
	host, ok := h.lab.hosts[r.Host]
	if !ok {
		return reply{Code: 1, Error: fmt.Sprintf("no host %q; the hosts are %s", r.Host, strings.Join(sortedKeys(h.lab.hosts), ", "))}
	}
	if len(r.Args) == 0 || len(files) != 3 {
		return reply{Code: 1, Error: "an incomplete request"}
	}
	cmd := exec.Command(beside(r.Args[0]), r.Args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = files[0], files[1], files[2]
	cmd.Dir, cmd.Env = r.Dir, append(r.Env, host.environment()...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	if err := host.space.do(cmd.Start); err != nil {
		return reply{Code: 127, Error: err.Error()}
	}
	// Further requests of the connection are signals; its end takes the program along.
	go func() {
		for {
			s, _, err := readRequest(c)
			if err != nil {
				_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
				return
			}
			_ = syscall.Kill(-cmd.Process.Pid, syscall.Signal(s.Signal))
		}
	}()
	_ = cmd.Wait() // the code says it
	return reply{Code: exitCode(cmd.ProcessState)}
}

// beside finds a program that is not in PATH beside this one, where yoke is.
func beside(name string) string {
	self, err := os.Executable()
	if _, missing := exec.LookPath(name); err != nil || missing == nil {
		return name
	}
	near := filepath.Join(filepath.Dir(self), name)
	if _, err := exec.LookPath(near); err != nil {
		return name
	}
	return near
}

// exitCode is a shell's: 128 and the signal where one ended the program.
func exitCode(s *os.ProcessState) int {
	if ws, ok := s.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		return 128 + int(ws.Signal())
	}
	return s.ExitCode()
}

func readRequest(c *net.UnixConn) (request, []*os.File, error) {
	var r request
	text, control := make([]byte, requestMax), make([]byte, unix.CmsgSpace(3*4))
	n, cn, _, _, err := c.ReadMsgUnix(text, control)
	if err != nil {
		return r, nil, err
	}
	if n == 0 {
		return r, nil, io.EOF
	}
	var files []*os.File
	messages, _ := unix.ParseSocketControlMessage(control[:cn]) // nothing, where it is not whole
	for _, m := range messages {
		fds, _ := unix.ParseUnixRights(&m)
		for _, fd := range fds {
			unix.CloseOnExec(fd)
			files = append(files, os.NewFile(uintptr(fd), "passed"))
		}
	}
	return r, files, json.Unmarshal(text[:n], &r)
}

// Exec runs a program in a host of a standing lab, with this process's input, output
// and errors, and returns its exit code. Signals from the channel are passed on.
func Exec(name, host string, args []string, signals <-chan os.Signal) (int, error) {
	path, err := standing(name)
	if err != nil {
		return 1, err
	}
	dir, err := os.Getwd()
	if err != nil {
		dir = "/"
	}
	c, err := ask(path, request{Do: "exec", Host: host, Args: args, Env: os.Environ(), Dir: dir},
		unix.UnixRights(int(os.Stdin.Fd()), int(os.Stdout.Fd()), int(os.Stderr.Fd())))
	if err != nil {
		return 1, err
	}
	defer c.Close()
	done := make(chan struct{})
	defer close(done)
	go func() {
		for {
			select {
			case s := <-signals:
				if number, ok := s.(syscall.Signal); ok {
					text, _ := json.Marshal(request{Do: "signal", Signal: int(number)})
					_, _ = c.Write(text)
				}
			case <-done:
				return
			}
		}
	}()
	return wait(c)
}

// Down takes a standing lab down, or the only one where name is empty, and returns
// when it is gone. Where ctx ends before, it goes on going down.
func Down(ctx context.Context, name string) error {
	path, err := standing(name)
	if err != nil {
		return err
	}
	c, err := ask(path, request{Do: "down"}, nil)
	if err != nil {
		return err
	}
	defer c.Close()
	defer context.AfterFunc(ctx, func() { _ = c.Close() })()
	if _, err = wait(c); ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

func ask(path string, r request, rights []byte) (*net.UnixConn, error) {
	c, err := net.DialUnix("unixpacket", nil, &net.UnixAddr{Name: path, Net: "unixpacket"})
	if err != nil {
		return nil, fmt.Errorf("reach the lab: %w", err)
	}
	text, err := json.Marshal(r)
	if err == nil && len(text) > requestMax {
		err = fmt.Errorf("arguments and environment have %d bytes; the lab takes %d", len(text), requestMax)
	}
	if err == nil {
		_ = c.SetWriteBuffer(2 * requestMax)
		_, _, err = c.WriteMsgUnix(text, rights, nil)
	}
	if err != nil {
		_ = c.Close()
		return nil, fmt.Errorf("ask the lab: %w", err)
	}
	return c, nil
}

func wait(c *net.UnixConn) (int, error) {
	text := make([]byte, requestMax)
	n, err := c.Read(text)
	if err != nil {
		return 1, fmt.Errorf("the lab ended: %w", err)
	}
	var r reply
	if err := json.Unmarshal(text[:n], &r); err != nil {
		return 1, fmt.Errorf("read the lab's answer: %w", err)
	}
	if r.Error != "" {
		return r.Code, errors.New(r.Error)
	}
	return r.Code, nil
}

// Up starts a process that holds the lab and returns when it stands; where ctx ends before,
// none is left. args make this program hold the lab: it must call Hold, and then close its
// standard output.
func Up(ctx context.Context, args []string, nested bool, progress io.Writer) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	cmd := exec.Command(self, args...)
	if nested {
		if cmd, err = nestedCommand(args); err != nil {
			return err
		}
		cmd.Env = append(cmd.Env, DirVariable+"="+holdDir()) // the user's number is another there
		cmd.SysProcAttr.Pdeathsig = 0
	} else {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setsid = true
	log := &tail{}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	errs, err := os.CreateTemp("", "yoke-lab-log-")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(errs.Name()) }() // a leftover log in the temporary directory
	defer errs.Close()
	cmd.Stderr = errs
	if err := cmd.Start(); err != nil {
		if nested {
			return userNamespaceProblem(err)
		}
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = cmd.Process.Signal(syscall.SIGTERM) })
	_, _ = io.Copy(io.MultiWriter(progress, log), out) // until it stands, or has failed
	if stop() && strings.HasSuffix(log.String(), standsMark) {
		return nil
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait() // its log tells more
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(patience):
		_ = cmd.Process.Kill()
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	text, _ := os.ReadFile(errs.Name())
	return errors.New(strings.TrimPrefix(strings.TrimSpace(string(text)), filepath.Base(cmd.Args[0])+": "))
}

// standsMark is the last word of a holder to the process that started it.
const standsMark = "the lab stands"

// Stands is what a holder prints once its lab stands, before it closes its output.
func Stands(out io.Writer) { fmt.Fprintln(out, standsMark) }
