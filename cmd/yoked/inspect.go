package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/yokelag/yoke/control"
	"github.com/yokelag/yoke/daemon"
)

// served is a state directory that a daemon holds.
type served struct{ error }

// ExitCode tells yoke that to ask the daemon again may help.
func (s served) ExitCode() int {
	fmt.Fprintf(os.Stderr, "%s: %v\n", calledAs(), s.error)
	return control.ExitServed
}

func inspectCommand() *cobra.Command {
	var stateDir string
	c := &cobra.Command{
		Use:   "inspect [NAME]",
		Short: "Print what saved state and planes tell while no daemon runs, as JSON",
		Long: "Prints the status of aggregates whose daemon is gone, in the form of `yoke status -o json`, and changes nothing.\n" +
			"It ends with code 75 where a daemon holds the state, which perhaps is only starting or dying.",
		Example: "  yoked inspect\n  yoked inspect bond0 --state-dir /run/yoke",
		Args:    words(cobra.MaximumNArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			name := ""
			if len(args) == 1 {
				name = args[0]
			}
			list, err := daemon.Inspect(c.Context(), control.StateDirPath(stateDir), name)
			if daemon.IsServed(err) {
				return served{err}
			}
			if err != nil {
				return err
			}
			enc := json.NewEncoder(c.OutOrStdout())
			enc.SetIndent("", "  ")
			return enc.Encode(list)
		},
	}
	c.Flags().StringVar(&stateDir, "state-dir", "", "where state was saved (default $"+control.StateDirVariable+", then "+control.DefaultStateDir+")")
	return c
}
