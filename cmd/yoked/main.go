package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/yokelag/yoke/control"
	"github.com/yokelag/yoke/internal/version"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends what does not heed the first
	err := rootCommand().ExecuteContext(ctx)
	if ctx.Err() != nil && (errors.Is(err, context.Canceled) || errors.Is(err, context.Cause(ctx))) {
		err = interrupted{}
	}
	stop()
	os.Exit(exitCode(err))
}

// interrupted is the end of a command that was told to end.
type interrupted struct{}

func (interrupted) Error() string { return "interrupted" }

// ExitCode is what shells give.
func (i interrupted) ExitCode() int {
	fmt.Fprintf(os.Stderr, "%s: %v\n", calledAs(), i)
	return 130
}

// exitCode prints what went wrong: 1 is a refusal or failure, 2 a command line that
// cannot be read, 130 an interruption. A command may end with a code of its own.
func exitCode(err error) int {
	var own interface{ ExitCode() int }
	switch {
	case err == nil:
		return 0
	case errors.As(err, &own):
		return own.ExitCode()
	}
	if _, ok := errors.AsType[usageError](err); ok {
		fmt.Fprintf(os.Stderr, "%s: %v\n", calledAs(), err)
		return 2
	}
	for _, p := range control.ProblemsOf(err) {
		fmt.Fprintf(os.Stderr, "%s: %v\n", calledAs(), p)
	}
	return 1
}

// usageError is a command line that cannot be read.
type usageError struct{ error }

func rootCommand() *cobra.Command {
	var f flags
	root := &cobra.Command{
		Use:   "yoked",
		Short: "Make aggregates of network links and look after them",
		Long: "yoked serves the network namespace that it is started in. When it ends, forwarding goes on where the plane can;\n" +
			"only `yoke down` takes an aggregate apart. Several run beside each other, one for each network namespace,\n" +
			"each with a --socket and a --state-dir of its own.",
		Example:       "  yoked\n  yoked -f bond0.yaml\n  yoked --socket /run/yoke/blue.sock --state-dir /run/yoke/blue --config /etc/yoke/blue",
		Version:       version.String(),
		Args:          noArguments,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE:          func(c *cobra.Command, _ []string) error { return f.serve(c.Context()) },
	}
	root.Annotations = map[string]string{cobra.CommandDisplayNameAnnotation: calledAs()}
	f.register(root)
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return usageError{fmt.Errorf("%w; see `%s --help`", err, c.CommandPath())}
	})
	root.AddCommand(inspectCommand(), newFramesCommand(), newLabCommand(), newDemoCommand())
	return root
}

// calledAs is the name to complain by and to show in help: `yoke lab` and `yoke demo` run
// this program by their own.
func calledAs() string {
	if filepath.Base(os.Args[0]) == "yoke" {
		return "yoke"
	}
	return "yoked"
}

// noArguments is for commands that have commands below them.
func noArguments(c *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usageError{fmt.Errorf("there is no command %q; see `%s --help`", args[0], c.CommandPath())}
	}
	return nil
}

// words has a complaint about the number of arguments show how the command is written.
func words(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if check(c, args) == nil {
			return nil
		}
		example, _, _ := strings.Cut(strings.TrimSpace(c.Example), "\n")
		return usageError{fmt.Errorf("write `%s`; for example `%s`", c.UseLine(), example)}
	}
}
