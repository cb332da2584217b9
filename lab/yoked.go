package lab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/yokelag/yoke/agg"
)

// pinRoot is where plane ebpf keeps what outlives the daemon, by the inode of the
// network namespace.
const pinRoot = "/sys/fs/bpf/yoke"

// yoked is the daemon of a host: a process of its own, so that it can be killed.
type yoked struct {
	host   *host
	binary string
	dir    string
	config string
	logTo  io.Writer

	cmd  *exec.Cmd
	done chan struct{} // closed when the process has ended
	log  *tail
}

func newYoked(dir string, h *host, o Options) (*yoked, error) {
	y := &yoked{host: h, binary: o.Yoked, dir: dir, config: filepath.Join(dir, "yoke.yaml"), logTo: o.Log, log: &tail{}}
	if err := os.MkdirAll(y.stateDir(), 0o700); err != nil {
		return nil, err
	}
	text, err := configText(h, o.Plane)
	if err != nil {
		return nil, err
	}
	return y, os.WriteFile(y.config, text, 0o600)
}

func (y *yoked) stateDir() string { return filepath.Join(y.dir, "state") }
func (y *yoked) socket() string   { return filepath.Join(y.dir, "yoke.sock") }

// configText is the daemon's configuration of the host's aggregates.
func configText(h *host, plane string) ([]byte, error) {
	aggregates := yaml.MapSlice{}
	for _, name := range sortedKeys(h.def.Aggregates) {
		spec := h.def.Aggregates[name].Spec.Clone()
		if _, chosen := spec.Options["plane"]; !chosen && plane != "" {
			if err := spec.Options.Set(agg.OfAggregate, "plane", plane); err != nil {
				return nil, err
			}
		}
		entry := settings(spec.Options)
		ports := yaml.MapSlice{}
		for _, p := range spec.Ports {
			ports = append(ports, yaml.MapItem{Key: p.Name, Value: settings(p.Options)})
		}
		entry = append(entry, yaml.MapItem{Key: "ports", Value: ports})
		aggregates = append(aggregates, yaml.MapItem{Key: name, Value: entry})
	}
	return yaml.Marshal(yaml.MapSlice{{Key: "version", Value: 1}, {Key: "aggregates", Value: aggregates}})
}

func settings(from agg.Settings) yaml.MapSlice {
	out := yaml.MapSlice{}
	for _, key := range sortedKeys(from) {
		out = append(out, yaml.MapItem{Key: key, Value: from[key]})
	}
	return out
}

// start runs the daemon in the host's namespace. It dies with this process.
func (y *yoked) start(ctx context.Context) error {
	if y.running() {
		return errors.New("start daemon: it runs")
	}
	cmd := exec.Command(y.binary, "-f", y.config, "--socket", y.socket(), "--state-dir", y.stateDir())
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	cmd.Stderr = y.log
	if y.logTo != nil {
		cmd.Stderr = io.MultiWriter(y.log, y.logTo)
	}
	cmd.Stdout = cmd.Stderr
	if err := y.host.space.do(cmd.Start); err != nil {
		return fmt.Errorf("start daemon %s: %w", y.binary, err)
	}
	done := make(chan struct{})
	y.cmd, y.done = cmd, done
	go func() { _ = cmd.Wait(); close(done) }()
	return ctx.Err()
}

func (y *yoked) running() bool {
	if y.done == nil {
		return false
	}
	select {
	case <-y.done:
		return false
	default:
		return true
	}
}

// waitReady waits until the daemon answers and every aggregate carries. The device
// alone would not tell: after a kill it may have its carrier still.
func (y *yoked) waitReady(ctx context.Context) error {
	for _, name := range sortedKeys(y.host.def.Aggregates) {
		err := waitFor(ctx, name+" to carry", func() (bool, error) {
			if !y.running() {
				return false, fmt.Errorf("daemon ended:\n%s", y.log.String())
			}
			up := false
			err := y.host.space.do(func() error {
				up = deviceIndex(name) != 0 && setUp(name) == nil && hasCarrier(name)
				return nil
			})
			if err != nil || !up {
				return false, err
			}
			s, err := y.status(ctx, name)
			return err == nil && s.Carrying > 0 && s.Plan.InForce, nil
		})
		if err != nil {
			return fmt.Errorf("%w\n%s", err, y.log.String())
		}
	}
	return nil
}

// kill ends the daemon with SIGKILL and waits until it is gone.
func (y *yoked) kill() error {
	if !y.running() {
		return errors.New("kill daemon: none runs")
	}
	err := y.cmd.Process.Kill()
	<-y.done
	return err
}

// takeDown ends the daemon and removes what it pinned, also after it was killed. The
// rest dies with the namespace.
func (y *yoked) takeDown() error {
	if y.running() {
		_ = y.cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-y.done:
		case <-time.After(2 * time.Second):
			_ = y.kill()
		}
	}
	return removePins(strconv.FormatUint(y.host.space.inode, 10))
}

// tail keeps the end of a log.
type tail struct {
	mu   sync.Mutex
	text []byte
}

const tailMax = 16 << 10

// Write implements io.Writer.
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p...)
	if over := len(t.text) - tailMax; over > 0 {
		t.text = append(t.text[:0], t.text[over:]...)
	}
	return len(p), nil
}

// String returns what is kept.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(bytes.TrimSpace(t.text))
}
