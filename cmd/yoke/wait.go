package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/control"
)

// waitPause is how often it is asked: much less than a boot notices, and cheap.
const waitPause = 100 * time.Millisecond

func (a *app) waitCommand() *cobra.Command {
	var what string
	var timeout time.Duration
	c := &cobra.Command{
		Use:   "wait NAME [--for carrier|ports=N|reachable] [--timeout TIME]",
		Short: "Wait until an aggregate works, for scripts and for the order of a boot",
		Long: "Waits until the aggregate is there and has carrier, or N of its ports work, or the gateway of every default route\n" +
			"over it answers (reachable=ADDRESS: that neighbour). It waits for the daemon too. The exit code is 8 where it was in vain.",
		Example: "  yoke wait bond0\n  yoke wait bond0 --for ports=2 --timeout 30s\n  yoke wait bond0 --for reachable=192.0.2.1",
		Args:    words(1, 1), ValidArgsFunction: a.completeAggregates,
		RunE: func(c *cobra.Command, args []string) error { return a.wait(c, args[0], what, timeout) },
	}
	c.Flags().StringVar(&what, "for", "carrier", "carrier, ports=N, reachable or reachable=ADDRESS")
	c.Flags().DurationVar(&timeout, "timeout", 0, "give up after this time, as 30s; 0 waits for ever")
	_ = c.RegisterFlagCompletionFunc("for", cobra.FixedCompletions([]string{"carrier", "ports=", "reachable", "reachable="}, noFiles|cobra.ShellCompDirectiveNoSpace))
	return c
}

func (a *app) wait(c *cobra.Command, name, what string, timeout time.Duration) error {
	ctx := c.Context()
	if timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, timeout)
		defer cancel()
	}
	client := a.client()
	defer client.Close()
	last := "nothing was asked yet"
	for {
		r, err := client.Ready(ctx, name, what)
		switch {
		case err == nil && r.Ready:
			if a.json() {
				return a.printJSON(r)
			}
			fmt.Fprintln(a.out, summary(agg.Status{Name: name, Summary: r.Text}))
			return nil
		case err == nil:
			last = r.Text
		case ctx.Err() != nil:
		case control.HasCode(err, control.CodeNoDaemon), control.HasCode(err, control.CodeNotFound):
			last = control.ProblemsOf(err)[0].Rule
		default:
			return err
		}
		select {
		case <-ctx.Done():
			if c.Context().Err() != nil {
				return c.Context().Err()
			}
			fmt.Fprintf(a.err, "yoke: %s: waited %v in vain for %s: %s; `yoke status %s` tells more\n", name, timeout, what, last, name)
			return quietExit(exitInVain)
		case <-time.After(waitPause):
		}
	}
}
