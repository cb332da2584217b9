package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/yokelag/yoke/control"
	"github.com/yokelag/yoke/internal/version"
)

// firstCommands are what somebody who has just come should try.
const firstCommands = `Yoke joins network links into one that carries as one.

  yoke demo                  see it work, without root and without changing anything here
  yoke up bond0 eth1 eth2    make an aggregate of two links
  yoke status                see what carries traffic, and why
`

const firstScreen = firstCommands + `
All commands: yoke --help    All options: yoke help options
`

// app is what every command shares.
type app struct {
	out, err io.Writer
	socket   string
	stateDir string
	output   string
}

func (a *app) client() *control.Client { return control.NewClient(control.SocketPath(a.socket)) }

func (a *app) json() bool { return a.output == "json" }

// run runs one command line and returns its exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	a := &app{out: stdout, err: stderr}
	root := a.rootCommand()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		text := "yoke: interrupted"
		if errors.Is(err, control.ErrGoesOn) {
			text += "; " + control.ErrGoesOn.Error()
		}
		fmt.Fprintln(stderr, text)
		return exitInterrupted
	}
	return a.report(err, args)
}

func (a *app) rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:           "yoke",
		Short:         "Join network links into one that carries as one",
		Long:          firstCommands + "\nyoke asks the daemon yoked, which makes, changes, explains and takes apart aggregates.",
		Example:       "  yoke up bond0 mode=balance-xor eth1 eth2\n  yoke status bond0\n  yoke down bond0",
		Version:       version.String(),
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          noSuchCommand,
		RunE: func(*cobra.Command, []string) error {
			fmt.Fprint(a.out, firstScreen)
			return nil
		},
		PersistentPreRunE: func(c *cobra.Command, _ []string) error { return a.checkOutput(c.Name()) },
	}
	flags := root.PersistentFlags()
	flags.StringVar(&a.socket, "socket", "", "socket of the daemon (default $"+control.SocketVariable+", then "+control.DefaultSocket+")")
	flags.StringVar(&a.stateDir, "state-dir", "", "where saved state is read when no daemon runs (default $"+control.StateDirVariable+", then "+control.DefaultStateDir+")")
	flags.StringVarP(&a.output, "output", "o", "text", "text or json; of status also teamd")
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return usageError{fmt.Errorf("%w; see `%s --help`", err, c.CommandPath())}
	})
	root.AddCommand(a.upCommand(), a.downCommand(), a.addCommand(), a.removeCommand(), a.setCommand(), a.getCommand(),
		a.applyCommand(), a.diffCommand(), a.saveCommand(), a.confirmCommand(), a.waitCommand(),
		a.statusCommand(), a.eventsCommand(), a.explainCommand(), a.whyCommand(), a.captureCommand(), a.replayCommand(),
		a.labCommand(), a.demoCommand())
	root.AddCommand(a.completionCommand(root))
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetHelpCommand(a.helpCommand(root))
	root.SetUsageTemplate(root.UsageTemplate() + "{{if not .HasParent}}\n" + exitCodesHelp + "{{end}}")
	root.SuggestionsMinimumDistance = 2
	for _, c := range root.Commands() {
		c.DisableFlagsInUseLine = true
	}
	return root
}

func (a *app) checkOutput(command string) error {
	words := []string{"text", "json"}
	if command == "status" {
		words = append(words, "teamd")
	}
	if !slices.Contains(words, a.output) {
		return usageError{fmt.Errorf("--output %s: must be %s", a.output, strings.Join(words, " or "))}
	}
	return nil
}

func noSuchCommand(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	remedy := "`yoke --help` lists the commands"
	if near := c.SuggestionsFor(args[0]); len(near) > 0 {
		begins := func(name string) bool { return strings.HasPrefix(name, args[0]) }
		best := near[max(0, slices.IndexFunc(near, begins))]
		remedy = "did you mean `yoke " + best + "`?"
	}
	return usageError{fmt.Errorf("there is no command %q; %s", args[0], remedy)}
}

// words checks the number of arguments and says what is missing by the command's own
// usage line.
func words(least, most int) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) >= least && (most < 0 || len(args) <= most) {
			return nil
		}
		return usageError{fmt.Errorf("write `%s`; for example `%s`", c.UseLine(), firstLine(c.Example))}
	}
}

// firstLine is the first of several examples.
func firstLine(examples string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(examples), "\n")
	return line
}
