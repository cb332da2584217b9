package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"github.com/yokelag/yoke/control"
	"github.com/yokelag/yoke/daemon"
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
	log, err := f.logger()
	if err != nil {
		return usageError{err}
	}
	o := daemon.Options{Socket: control.SocketPath(f.socket), StateDir: control.StateDirPath(f.stateDir), Config: f.config, File: f.file, Log: log}
	if f.dry != "" {
		o.Dry = strings.Split(f.dry, ",")
	}
	return daemon.Run(ctx, o)
}

func (f *flags) logger() (*slog.Logger, error) {
	var o slog.HandlerOptions
	var level slog.Level
	if err := level.UnmarshalText([]byte(f.logLevel)); err != nil {
		return nil, fmt.Errorf("--log-level %s: must be debug, info, warn or error", f.logLevel)
	}
	o.Level = level
	switch f.logFormat {
	case "text":
		return slog.New(slog.NewTextHandler(os.Stderr, &o)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(os.Stderr, &o)), nil
	default:
		return nil, fmt.Errorf("--log-format %s: must be text or json", f.logFormat)
	}
}
