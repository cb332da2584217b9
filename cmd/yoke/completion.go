package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

// completionCommand prints what makes a shell complete words of yoke. Names of aggregates
// and ports come of the daemon, options and their values of the table.
func (a *app) completionCommand(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use:   "completion bash|zsh|fish",
		Short: "Print the completion for a shell",
		Long: "Prints a script that makes the shell complete commands, aggregates, ports, options and values.\n" +
			"Packages install it; for one session, source it.",
		Example:   "  source <(yoke completion bash)\n  yoke completion zsh > ~/.zfunc/_yoke\n  yoke completion fish > ~/.config/fish/completions/yoke.fish",
		Args:      words(1, 1),
		ValidArgs: []string{"bash", "zsh", "fish"},
		RunE: func(_ *cobra.Command, args []string) error {
			write := map[string]func(io.Writer) error{
				"bash": func(w io.Writer) error { return root.GenBashCompletionV2(w, true) },
				"zsh":  root.GenZshCompletion,
				"fish": func(w io.Writer) error { return root.GenFishCompletion(w, true) },
			}[args[0]]
			if write == nil {
				return usageError{fmt.Errorf("completion %s: must be bash, zsh or fish", args[0])}
			}
			if err := write(a.out); err != nil {
				return fmt.Errorf("write the completion: %w", err)
			}
			return nil
		},
	}
}
