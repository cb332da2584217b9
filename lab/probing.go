package lab

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/control"
)

// Probing is a probe stream that runs until it is stopped.
type Probing struct {
	stream *stream
	sender chan struct{}
}

// StartProbe opens a stream, waits until its path works, and sends for at most longest.
func (l *Lab) StartProbe(name string, p Probe, longest time.Duration) (*Probing, error) {
	s, err := l.openStream(name, p)
	if err != nil {
		return nil, err
	}
	if err := s.open(patience); err != nil {
		s.finish()
		return nil, err
	}
	running := &Probing{stream: s, sender: make(chan struct{})}
	go func() {
		defer close(running.sender)
		s.run(monotonic(), int(float64(p.Rate)*longest.Seconds()))
	}()
	return running, nil
}

// Done is closed when all frames of the stream were sent.
func (p *Probing) Done() <-chan struct{} { return p.sender }

// Stop ends the stream, waits for frames under way, and tells what became of it and
// what each of the faults cost.
func (p *Probing) Stop(faults []FaultTime) Stream {
	p.stream.stopSend.Store(true)
	<-p.sender
	time.Sleep(settle)
	p.stream.finish()
	return p.stream.result(faults)
}

// Status asks the daemon of a host for one of its aggregates.
func (l *Lab) Status(ctx context.Context, host, aggregate string) (agg.Status, error) {
	h, ok := l.hosts[host]
	if !ok || h.daemon == nil {
		return agg.Status{}, fmt.Errorf("host %q has no daemon", host)
	}
	return h.daemon.status(ctx, aggregate)
}

// BusiestCable returns the one of the cables that host sent the most frames into
// during the time, by the interfaces' own counters. It waits for the first frame.
func (l *Lab) BusiestCable(ctx context.Context, host string, cables []string, during time.Duration) (string, error) {
	read := func() map[string]uint64 {
		counts := map[string]uint64{}
		for _, name := range cables {
			for _, e := range l.cables[name].ends {
				if e.node == host {
					_ = e.space.do(func() error {
						c, err := readCounts(e.device)
						counts[name] = c.tx
						return err // a device that is gone counts nothing
					})
				}
			}
		}
		return counts
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		before := read()
		if err := sleepContext(ctx, monotonic()+during.Nanoseconds()); err != nil {
			return "", fmt.Errorf("wait for host %s to send on %v: %w", host, cables, err)
		}
		after := read()
		busiest, most := "", uint64(0)
		for _, name := range cables {
			if sent := after[name] - before[name]; sent > most {
				busiest, most = name, sent
			}
		}
		if busiest != "" {
			return busiest, nil
		}
	}
}

// WaitPlugged waits until the kernel uses a cable that was plugged, at both ends. That
// may take it more than a second, because it holds link events back.
func (l *Lab) WaitPlugged(ctx context.Context, cable string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return waitFor(ctx, "cable "+cable, func() (bool, error) {
		for _, e := range l.cables[cable].ends {
			up := false
			err := e.space.do(func() error {
				link, err := netlink.LinkByName(e.device)
				if err == nil {
					a := link.Attrs()
					up = a.RawFlags&unix.IFF_LOWER_UP != 0 && a.OperState == netlink.OperUp
				}
				return nil
			})
			if err != nil || !up {
				return false, err
			}
		}
		return true, nil
	})
}

// Command runs a program in a host, where the daemon of that host is the one that is meant,
// and returns what it printed on both outputs.
func (l *Lab) Command(ctx context.Context, host string, line ...string) (string, error) {
	h, ok := l.hosts[host]
	if !ok || len(line) == 0 {
		return "", fmt.Errorf("run %v: there is no host %q", line, host)
	}
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, line[0], line[1:]...)
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.Env = append(os.Environ(), h.environment()...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	if err := h.space.do(cmd.Start); err != nil {
		return "", fmt.Errorf("run %v in host %s: %w", line, host, err)
	}
	if err := cmd.Wait(); err != nil {
		return out.String(), fmt.Errorf("run %v in host %s: %w: %s", line, host, err, bytes.TrimSpace(out.Bytes()))
	}
	return out.String(), nil
}

// environment leads programs of a host to its daemon.
func (h *host) environment() []string {
	if h.daemon == nil {
		return nil
	}
	return []string{control.SocketVariable + "=" + h.daemon.socket(), control.StateDirVariable + "=" + h.daemon.stateDir()}
}

// Inside runs a function in the network namespace of a host: sockets that it opens belong to
// that. It must not call the lab.
func (l *Lab) Inside(host string, f func() error) error {
	h, ok := l.hosts[host]
	if !ok {
		return fmt.Errorf("there is no host %q", host)
	}
	return h.space.do(f)
}
