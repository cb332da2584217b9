package daemon

import (
	"context"
	"log/slog"
	"time"

	systemd "github.com/coreos/go-systemd/v22/daemon"
)

// notifyReady tells systemd, where it is there, that the aggregates are up.
func notifyReady(log *slog.Logger, status string) {
	if _, err := systemd.SdNotify(false, systemd.SdNotifyReady+"\nSTATUS="+status); err != nil {
		log.Warn("systemd not told", "error", err)
	}
}

func notifyStopping() {
	_, _ = systemd.SdNotify(false, systemd.SdNotifyStopping) // it will see the process end anyway
}

// watchdog tells systemd twice a period that alive returned, until ctx ends.
func watchdog(ctx context.Context, alive func(context.Context) error) {
	period, err := systemd.SdWatchdogEnabled(false)
	if err != nil || period == 0 {
		return
	}
	t := time.NewTicker(period / 2)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			if alive(ctx) == nil {
				_, _ = systemd.SdNotify(false, systemd.SdNotifyWatchdog) // a lost one is followed by another
			}
		}
	}
}
