package main

import (
	"encoding/json"

	"github.com/spf13/cobra"

	"github.com/yokelag/yoke/control"
	"github.com/yokelag/yoke/daemon"
)

func inspectCommand() *cobra.Command {
	var stateDir string
	c := &cobra.Command{
		Use:     "inspect [NAME]",
		Short:   "Print what saved state and planes tell while no daemon runs, as JSON",
		Long:    "Prints the status of aggregates whose daemon is gone, in the form of `yoke status -o json`, and changes nothing.",
		Example: "  yoked inspect\n  yoked inspect bond0 --state-dir /run/yoke",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			name := ""
			if len(args) == 1 {
				name = args[0]
			}
			list, err := daemon.Inspect(c.Context(), control.StateDirPath(stateDir), name)
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
