package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/yokelag/yoke/control"
	"github.com/yokelag/yoke/lab"
)

// exitStatus ends the program with a code and without a further word.
type exitStatus int

// Error implements error.
func (e exitStatus) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

// ExitCode is the code.
func (e exitStatus) ExitCode() int { return int(e) }

// newLabCommand returns `lab` with its verbs.
func newLabCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "lab",
		Short: "Small networks to break and to look at",
		Long: "A lab is a file that describes hosts, switches, cables, probe streams, faults and what is expected.\n" +
			"It stands in network namespaces of its own and touches nothing of this machine. As an ordinary user\n" +
			"it runs in a user namespace, with plane user.",
		Example: "  yoke lab list\n  yoke lab run one-switch\n  yoke lab up two-switches\n  yoke lab exec a yoke status\n  yoke lab down",
		Args:    noArguments,
		RunE:    func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newLabListCommand(), newLabRunCommand(), newLabUpCommand(), newLabHoldCommand(),
		newLabAskCommand(), newLabReapCommand(), newLabExecCommand(), newLabDownCommand())
	return c
}

func newLabListCommand() *cobra.Command {
	var output string
	c := &cobra.Command{
		Use:     "list",
		Short:   "List the labs that come with Yoke, and those that stand",
		Example: "  yoke lab list",
		Args:    words(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			list, err := readLabList()
			if err != nil {
				return err
			}
			return printResult(c.OutOrStdout(), output, list, list.writeText)
		},
	}
	registerOutput(c, &output)
	return c
}

// labList is what `yoke lab list -o json` prints.
type labList struct {
	Version int `json:"version"`
	Labs    []struct {
		Name string `json:"name"`
		Text string `json:"text"`
	} `json:"labs"`
	// Standing are the names of those that `yoke lab up` made.
	Standing []string `json:"standing"`
}

func readLabList() (labList, error) {
	list := labList{Version: control.Version, Standing: append([]string{}, lab.Standing()...)}
	for _, name := range lab.Names() {
		f, err := lab.Load(name)
		if err != nil {
			return list, err
		}
		list.Labs = append(list.Labs, struct {
			Name string `json:"name"`
			Text string `json:"text"`
		}{name, f.Text})
	}
	return list, nil
}

func (l labList) writeText(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	for _, f := range l.Labs {
		fmt.Fprintf(t, "%s\t%s\n", f.Name, f.Text)
	}
	for _, name := range l.Standing {
		fmt.Fprintf(t, "%s\tstands now; `yoke lab exec --lab %s HOST COMMAND` runs in it\n", name, name)
	}
	return t.Flush()
}

// labFlags are those of a lab that is built.
type labFlags struct {
	plane   string
	verbose bool
}

func (f *labFlags) register(c *cobra.Command) {
	f.registerPlane(c)
	c.Flags().BoolVarP(&f.verbose, "verbose", "v", false, "show the daemons' logs")
}

// registerPlane is for a lab whose daemons' logs nobody sees, because it stands by itself.
func (f *labFlags) registerPlane(c *cobra.Command) {
	c.Flags().StringVar(&f.plane, "plane", "", "plane of aggregates that choose none: auto, ebpf or user")
}

func (f *labFlags) options(progress, log io.Writer) lab.Options {
	o := lab.Options{Plane: f.plane, Progress: progress}
	if f.verbose {
		o.Log = log
	}
	return o
}

func newLabRunCommand() *cobra.Command {
	var flags labFlags
	var output, broken string
	c := &cobra.Command{
		Use:   "run LAB|FILE",
		Short: "Build a lab, run it, measure, take it away",
		Long: "The exit code is 0 where every expectation was met, 1 otherwise. --break CABLE pulls that cable for a third of the\n" +
			"time instead of the lab's own faults, draws the lab before and after, and expects nothing.",
		Example: "  yoke lab run one-switch\n  yoke lab run two-switches --break isl\n  yoke lab run ./mine.yaml --plane user -o json",
		Args:    words(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			file, err := lab.Load(args[0])
			if err == nil && broken != "" {
				file, err = file.Breaking(broken)
			}
			if err != nil {
				return err
			}
			if !lab.Privileged() {
				return reexec(c)
			}
			progress := c.OutOrStdout()
			if output == "json" {
				progress = c.ErrOrStderr()
			}
			result, err := lab.Run(c.Context(), file, flags.options(progress, c.ErrOrStderr()))
			if err != nil {
				return err
			}
			if err := printResult(c.OutOrStdout(), output, result, result.WriteText); err != nil {
				return err
			}
			if !result.OK {
				return exitStatus(1)
			}
			return nil
		},
	}
	flags.register(c)
	c.Flags().StringVar(&broken, "break", "", "pull this cable instead, named as in the lab's picture")
	registerOutput(c, &output)
	return c
}

func registerOutput(c *cobra.Command, output *string) {
	c.Flags().StringVarP(output, "output", "o", "text", "text or json")
	c.PreRunE = func(*cobra.Command, []string) error {
		if *output != "text" && *output != "json" {
			return usageError{fmt.Errorf("--output %s: must be text or json", *output)}
		}
		return nil
	}
}

func printResult(out io.Writer, output string, value any, text func(io.Writer) error) error {
	if output == "text" {
		return text(out)
	}
	e := json.NewEncoder(out)
	e.SetIndent("", "  ")
	return e.Encode(value)
}

// reexec runs the command again as root of a user namespace.
func reexec(c *cobra.Command) error {
	code, err := lab.Reexec(c.Context())
	if err == nil && code != 0 {
		err = exitStatus(code)
	}
	return err
}

func newLabUpCommand() *cobra.Command {
	var flags labFlags
	c := &cobra.Command{
		Use:     "up LAB|FILE",
		Short:   "Build a lab and leave it standing",
		Example: "  yoke lab up one-switch\n  yoke lab exec a yoke status\n  yoke lab exec b ping -c 3 10.77.0.1\n  yoke lab down",
		Args:    words(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			file, err := lab.Load(args[0])
			if err != nil {
				return err
			}
			hold := []string{"lab", "hold", args[0], "--plane=" + flags.plane}
			if err := lab.Up(c.Context(), hold, !lab.Privileged(), c.ErrOrStderr()); err != nil {
				return err
			}
			for _, name := range slices.Sorted(maps.Keys(file.Hosts)) {
				fmt.Fprintf(c.OutOrStdout(), "yoke lab exec --lab %s %s COMMAND\n", file.Name, name)
			}
			fmt.Fprintf(c.OutOrStdout(), "yoke lab down --lab %s\n", file.Name)
			return nil
		},
	}
	flags.registerPlane(c)
	return c
}

// newLabHoldCommand is the process behind a standing lab.
func newLabHoldCommand() *cobra.Command {
	var flags labFlags
	c := &cobra.Command{
		Use:    "hold LAB|FILE",
		Short:  "Hold a standing lab; `lab up` starts it",
		Hidden: true,
		Args:   cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			file, err := lab.Load(args[0])
			if err != nil {
				return err
			}
			return lab.Hold(c.Context(), file, flags.options(c.OutOrStdout(), c.ErrOrStderr()), func() {
				lab.Stands(os.Stdout)
				_ = os.Stdout.Close() // tells the process that waits
			})
		},
	}
	flags.registerPlane(c)
	return c
}

// newLabAskCommand is how a lab asks the daemon of a host, from within it.
func newLabAskCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "ask SOCKET AGGREGATE",
		Short:  "Print an aggregate's status as JSON; a lab runs it in its hosts",
		Hidden: true,
		Args:   cobra.ExactArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			return lab.Ask(c.Context(), args[0], args[1], c.OutOrStdout())
		},
	}
}

// newLabReapCommand is the process that cleans up after a lab that was killed.
func newLabReapCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "reap DIR INODE...",
		Short:  "Wait for the end of a lab and remove what it left; a lab starts it",
		Hidden: true,
		Args:   cobra.MinimumNArgs(1),
		RunE:   func(c *cobra.Command, args []string) error { return lab.Reap(c.InOrStdin(), args[0], args[1:]) },
	}
}

func newLabExecCommand() *cobra.Command {
	var name string
	c := &cobra.Command{
		Use:     "exec [--lab NAME] HOST COMMAND...",
		Short:   "Run a command in a host of a standing lab",
		Example: "  yoke lab exec a yoke status\n  yoke lab exec a ip -s link",
		Args:    words(cobra.MinimumNArgs(2)),
		RunE: func(_ *cobra.Command, args []string) error {
			signals := make(chan os.Signal, 8)
			signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
			defer signal.Stop(signals)
			code, err := lab.Exec(name, args[0], args[1:], signals)
			if err == nil && code != 0 {
				err = exitStatus(code)
			}
			return err
		},
	}
	c.Flags().StringVar(&name, "lab", "", "which lab, where several stand")
	c.Flags().SetInterspersed(false)
	return c
}

func newLabDownCommand() *cobra.Command {
	var name string
	c := &cobra.Command{
		Use:     "down [--lab NAME]",
		Short:   "Take a standing lab down",
		Example: "  yoke lab down",
		Args:    words(cobra.NoArgs),
		RunE:    func(c *cobra.Command, _ []string) error { return lab.Down(c.Context(), name) },
	}
	c.Flags().StringVar(&name, "lab", "", "which lab, where several stand")
	return c
}
