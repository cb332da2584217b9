package daemon

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/yokelag/yoke/agg"
)

// manager is what systemd is to a daemon.
type manager struct {
	*rig
	// observed counts how often planes were looked at whole.
	observed atomic.Int64
	mu       sync.Mutex
	heard    []notice
}

// notice is what the daemon said, and how often planes had been observed by then.
type notice struct {
	text     string
	observed int64
}

// manage has a daemon tell the manager that it is alive twice a period, in microseconds.
func manage(t *testing.T, r *rig, period string) *manager {
	t.Helper()
	path := filepath.Join(t.TempDir(), "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	m := &manager{rig: r}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		m.listen(conn)
	}()
	t.Cleanup(func() {
		conn.Close()
		<-ended
	})
	r.w.mem.Refuse(func(op string) error {
		if op == "observe" {
			m.observed.Add(1)
		}
		return nil
	})
	t.Setenv("NOTIFY_SOCKET", path)
	t.Setenv("WATCHDOG_USEC", period)
	t.Setenv("WATCHDOG_PID", "")
	return m
}

// listen reads until conn is closed: a daemon whose words nobody takes would wait.
func (m *manager) listen(conn net.Conn) {
	b := make([]byte, 1024)
	for {
		n, err := conn.Read(b)
		if err != nil {
			return
		}
		m.mu.Lock()
		m.heard = append(m.heard, notice{string(b[:n]), m.observed.Load()})
		m.mu.Unlock()
	}
}

// await waits until what was heard is as cond wants it.
func (m *manager) await(what string, cond func(heard []notice) bool) {
	m.t.Helper()
	m.wait(what, func() bool {
		m.mu.Lock()
		defer m.mu.Unlock()
		return cond(m.heard)
	})
}

const beat = "WATCHDOG=1"

// The daemon says that it is ready before all else, then that it is alive until it ends, and
// at last that it does. Planes are not observed for a beat: engines do that by themselves now
// and then, and between there are beats in a row without.
func TestReadyAliveAndStopping(t *testing.T) {
	m := manage(t, newRig(t, "eth1", "eth2"), "10000")
	m.start()
	m.await("it to be ready", func(heard []notice) bool {
		if len(heard) > 0 && !strings.HasPrefix(heard[0].text, "READY=1\nSTATUS=serving "+m.o.Socket) {
			t.Fatalf("first it says %q", heard[0].text)
		}
		return len(heard) > 0
	})
	m.mustUp("bond0", "eth1", "eth2")
	begin, inARow := 0, 5
	m.await("beats", func(heard []notice) bool { begin = len(heard); return begin > 1 })
	m.await("beats without a look at the plane", func(heard []notice) bool {
		for i := begin; i+inARow < len(heard); i++ {
			if heard[i].observed == heard[i+inARow].observed {
				return true
			}
		}
		return false
	})
	if err := m.stop(); err != nil {
		t.Fatal(err)
	}
	m.await("it to say that it ends", func(heard []notice) bool {
		for _, said := range heard[1:] {
			if said.text == "STOPPING=1" {
				return true
			} else if said.text != beat {
				t.Fatalf("it says %q", said.text)
			}
		}
		return false
	})
}

// A daemon one of whose engines does not get on is not alive.
func TestABusyEngineIsNotAlive(t *testing.T) {
	w, err := newDryWorld([]string{"eth1", "eth2", "eth3"})
	if err != nil {
		t.Fatal(err)
	}
	r := newRegistry(w, t.TempDir(), slog.New(slog.DiscardHandler))
	for name, ports := range map[string][]string{"bond0": {"eth1"}, "bond1": {"eth2", "eth3"}} {
		spec, err := agg.ParseArgs(name, ports)
		if err == nil {
			err = r.up(t.Context(), spec, origin{})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := r.alive(t.Context()); err != nil {
		t.Fatal(err)
	}
	busy, goOn := make(chan struct{}), make(chan struct{})
	var first atomic.Bool
	w.mem.Refuse(func(string) error {
		if first.CompareAndSwap(false, true) {
			close(busy)
			<-goOn
		}
		return nil
	})
	go w.mem.SetCarrier("eth2", false) // which waits as well where the engine looks by itself
	<-busy
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := r.alive(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	close(goOn)
	if err := errors.Join(r.alive(t.Context()), r.stop()); err != nil {
		t.Error(err)
	}
}
