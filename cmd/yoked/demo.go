package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/yokelag/yoke/lab"
	"github.com/yokelag/yoke/lab/demo"
)

// newDemoCommand returns `demo`.
func newDemoCommand() *cobra.Command {
	o := demo.Options{}
	var flags labFlags
	var output string
	c := &cobra.Command{
		Use:   "demo",
		Short: "A guided minute: two aggregates, pulled cables, a killed daemon, a table",
		Long: "Builds a small network in namespaces, with an aggregate in active-backup and one in balance-xor, pulls\n" +
			"cables, kills the daemons, measures throughput, and prints what each of these cost. Nothing of this\n" +
			"machine is touched. As root it runs on plane ebpf, as an ordinary user on plane user.",
		Example: "  yoke demo\n  yoke demo --pulls 20 -o json",
		Args:    words(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			if o.Pulls < 1 || o.Pulls > 500 || o.Rounds < 1 || o.Rounds > 50 {
				return usageError{errors.New("--pulls must be 1 to 500 and --rounds 1 to 50")}
			}
			if !lab.Privileged() {
				fmt.Fprintln(c.ErrOrStderr(), "Not root: this runs in a user namespace, on plane user.")
				return reexec(c)
			}
			progress := c.OutOrStdout()
			if output == "json" {
				progress = c.ErrOrStderr()
			}
			o.Lab = flags.options(progress, c.ErrOrStderr())
			result, err := demo.Run(c.Context(), o)
			if err != nil {
				return err
			}
			return printResult(c.OutOrStdout(), output, result, result.WriteText)
		},
	}
	c.Flags().IntVar(&o.Pulls, "pulls", 10, "cables to pull on each aggregate, 1 to 500")
	c.Flags().IntVar(&o.Rounds, "rounds", 6, "throughput measurements of each link and direction, 1 to 50")
	flags.register(c)
	registerOutput(c, &output)
	return c
}
