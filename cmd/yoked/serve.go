package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime/debug"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/yokelag/yoke/control"
	"github.com/yokelag/yoke/daemon"
	"github.com/yokelag/yoke/internal/logqueue"
)

// flags are those of the daemon itself.
type flags struct {
	socket, stateDir, config, file string
	dry                            string
	logFormat, logLevel            string
}

func (f *flags) register(c *cobra.Command) {
	s := c.Flags()
	s.StringVar(&f.socket, "socket", "", "socket of the API (default $"+control.SocketVariable+", then "+control.DefaultSocket+")")
	s.StringVar(&f.stateDir, "state-dir", "", "saved state and lock (default $"+control.StateDirVariable+", then "+control.DefaultStateDir+")")
	s.StringVar(&f.config, "config", control.DefaultConfig, "a configuration file, or a directory of *.yaml files")
	s.StringVarP(&f.file, "file", "f", "", "run this one configuration and nothing else; a fault in it ends the daemon")
	s.StringVar(&f.dry, "dry", "", "touch nothing: serve interfaces in memory with these names, as eth1,eth2")
	s.StringVar(&f.logFormat, "log-format", "text", "text or json")
	s.StringVar(&f.logLevel, "log-level", "info", "debug, info, warn or error")
}

// collectAt is how much the heap may grow before it is collected, in percent: half of what
// the runtime does by itself, because the daemon has little to do and should be small.
const collectAt = 50

func (f *flags) serve(ctx context.Context) error {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(collectAt)
	}
	handler, err := f.handler()
	if err != nil {
		return usageError{err}
	}
	queue := logqueue.New(os.Stderr, logLines, func(n uint64) []byte { return lost(handler, n) })
	defer func() { _ = queue.Close(logPatience) }() // who does not read the log cannot be told by it
	log := slog.New(handler(queue))
	o := daemon.Options{Socket: control.SocketPath(f.socket), StateDir: control.StateDirPath(f.stateDir), Config: f.config, File: f.file, Log: log}
	if f.dry != "" {
		o.Dry = strings.Split(f.dry, ",")
	}
	return daemon.Run(ctx, o)
}

// A failover waits for no reader of the log: this many lines wait for it, and at the end for
// so long.
const (
	logLines    = 4096
	logPatience = 2 * time.Second
)

// lost is the line that tells of those that the reader of the log was too slow for.
func lost(handler func(io.Writer) slog.Handler, lines uint64) []byte {
	var out bytes.Buffer
	slog.New(handler(&out)).Error("lines of the log were dropped, because what reads it stood still", "lines", lines)
	return out.Bytes()
}

// handler is how lines of the log are made.
func (f *flags) handler() (func(io.Writer) slog.Handler, error) {
	var o slog.HandlerOptions
	var level slog.Level
	if err := level.UnmarshalText([]byte(f.logLevel)); err != nil {
		return nil, fmt.Errorf("--log-level %s: must be debug, info, warn or error", f.logLevel)
	}
	o.Level = level
	switch f.logFormat {
	case "text":
		return func(w io.Writer) slog.Handler { return slog.NewTextHandler(w, &o) }, nil
	case "json":
		return func(w io.Writer) slog.Handler { return slog.NewJSONHandler(w, &o) }, nil
	default:
		return nil, fmt.Errorf("--log-format %s: must be text or json", f.logFormat)
	}
}
