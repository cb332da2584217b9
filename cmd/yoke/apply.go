package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/control"
)

func (a *app) applyCommand() *cobra.Command {
	var r control.ApplyRequest
	var confirm time.Duration
	c := &cobra.Command{
		Use:   "apply [FILE|DIR] [--dry-run] [--rebuild] [--prune] [--confirm TIME]",
		Short: "Put files in force: show what differs, and change only that",
		Long: "Shows how the files differ from what runs, then changes that and nothing else, live, all of it or none.\n" +
			"Without FILE or DIR the files are the daemon's own configuration. For each step it says what it does to traffic:\n" +
			"hitless (nothing), blip (some frames may be lost), rebuild (the aggregate is made anew and traffic stops meanwhile).\n" +
			"--dry-run stops after the difference. With --confirm everything is undone after that time unless `yoke confirm` comes first.",
		Example: "  yoke apply --dry-run\n  yoke apply bond0.yaml --confirm 60s\n  yoke apply --rebuild",
		Args:    words(0, 1),
		RunE: func(c *cobra.Command, args []string) error {
			r.ConfirmMS = confirm.Milliseconds()
			return a.apply(c, args, r, false)
		},
	}
	c.Flags().BoolVar(&r.DryRun, "dry-run", false, "show the difference and change nothing")
	c.Flags().BoolVar(&r.Rebuild, "rebuild", false, "also make anew what cannot be changed live; addresses and routes are kept")
	c.Flags().BoolVar(&r.Prune, "prune", false, "also take apart what came of the daemon's files and is in none any more")
	confirmFlag(c, &confirm)
	return c
}

func confirmFlag(c *cobra.Command, d *time.Duration) {
	c.Flags().DurationVar(d, "confirm", 0, "undo everything after this `time`, as 60s, unless yoke confirm comes first")
}

func (a *app) diffCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "diff [FILE|DIR]",
		Short: "Show how files differ from what runs",
		Long: "Shows what `yoke apply` would change, step by step. Without FILE or DIR the files are the daemon's own configuration.\n" +
			"The exit code is 0 where nothing differs and 7 where something does.",
		Example: "  yoke diff\n  yoke diff bond0.yaml",
		Args:    words(0, 1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.apply(c, args, control.ApplyRequest{DryRun: true}, true)
		},
	}
}

// apply asks for it; where only the difference is wanted its exit code tells of one.
func (a *app) apply(c *cobra.Command, args []string, r control.ApplyRequest, onlyDiff bool) error {
	if len(args) == 1 {
		files, err := readFiles(args[0])
		if err != nil {
			return err
		}
		r.Files = files
	}
	client := a.client()
	defer client.Close()
	if !r.DryRun && !a.json() {
		// First what will be done, then that it was: the doing may cut this session off.
		preview := r
		preview.DryRun = true
		d, err := client.Apply(c.Context(), preview)
		if err != nil {
			return err
		}
		a.printDifference(d)
	}
	d, err := client.Apply(c.Context(), r)
	if err != nil {
		return err
	}
	switch {
	case a.json():
		err = a.printJSON(d)
	case r.DryRun:
		a.printDifference(d)
	default:
		a.printApplied(d)
	}
	if err == nil && onlyDiff && len(d.Changes) > 0 {
		return quietExit(exitDiffers)
	}
	return err
}

// readFiles reads a file, or the *.yaml of a directory; the daemon parses them.
func readFiles(path string) ([]control.ConfigFile, error) {
	paths := []string{path}
	info, err := os.Stat(path)
	if err == nil && info.IsDir() {
		if paths, err = filepath.Glob(filepath.Join(path, "*.yaml")); err == nil && len(paths) == 0 {
			err = errors.New("holds no *.yaml file")
		}
		slices.Sort(paths)
	}
	if err != nil {
		return nil, noFile(path, err)
	}
	var out []control.ConfigFile
	for _, p := range paths {
		text, err := os.ReadFile(p)
		if err != nil {
			return nil, noFile(p, err)
		}
		out = append(out, control.ConfigFile{Path: p, Text: string(text)})
	}
	return out, nil
}

func noFile(path string, err error) *agg.Problem {
	if inner, ok := errors.AsType[*os.PathError](err); ok {
		err = inner.Err
	}
	return &agg.Problem{Code: "no-configuration", Object: path, Rule: err.Error(), Remedy: "name a file or a directory of *.yaml files; `yoke save bond0 --print` shows what one looks like"}
}

func (a *app) printDifference(d control.Difference) {
	for _, c := range d.Changes {
		from := ""
		if c.File != "" {
			from = " (" + c.File + ")"
		}
		fmt.Fprintf(a.out, "%s: %s%s\n", c.Aggregate, c.Action, from)
		for _, s := range c.Steps {
			fmt.Fprintf(a.out, "  %-8s %s\n", s.Effect, s.Text)
		}
	}
	if len(d.Changes) == 0 {
		fmt.Fprintf(a.out, "nothing differs, %s as the files say\n", count(d.Unchanged, "aggregate is", "aggregates are"))
	}
	a.printFindings("", d.Findings)
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

func (a *app) printApplied(d control.Difference) {
	if len(d.Changes) == 0 {
		return
	}
	fmt.Fprintln(a.out, "applied; "+count(len(d.Changes), "aggregate changed", "aggregates changed"))
	// The others were told with the difference.
	a.printFindings("", slices.DeleteFunc(slices.Clone(d.Findings), func(f agg.Finding) bool { return f.Code != "moved" }))
	if d.Pending != nil {
		a.printPending(*d.Pending)
	}
}

func (a *app) printPending(p control.Pending) {
	left := (time.Duration(p.LeftMS) * time.Millisecond).Round(100 * time.Millisecond)
	if p.Failed != "" {
		fmt.Fprintf(a.out, "%s could not be undone: %s\nit is tried again in %v; `yoke confirm --undo` tries at once, `yoke confirm` keeps what is there now\n", p.What, p.Failed, left)
		return
	}
	fmt.Fprintf(a.out, "%s is undone in %v unless you run `yoke confirm`\n", p.What, left)
}

func (a *app) printFindings(indent string, findings []agg.Finding) {
	for _, f := range findings {
		fmt.Fprintf(a.out, "%s%s: %s", indent, f.Severity, f.Text)
		if f.Remedy != "" {
			fmt.Fprintf(a.out, "; %s", f.Remedy)
		}
		fmt.Fprintf(a.out, " (%s)\n", f.Code)
	}
}

func (a *app) confirmCommand() *cobra.Command {
	var undo, show bool
	c := &cobra.Command{
		Use:   "confirm [--undo | --show]",
		Short: "Keep a change that was made with --confirm",
		Long: "Keeps what `yoke up --confirm` or `yoke apply --confirm` made, which is undone otherwise when its time is over,\n" +
			"also by a daemon that was started meanwhile.",
		Example: "  yoke confirm\n  yoke confirm --show\n  yoke confirm --undo",
		Args:    words(0, 0),
		RunE: func(c *cobra.Command, _ []string) error {
			if undo && show {
				return usageError{fmt.Errorf("give --undo or --show, and not both")}
			}
			return a.confirm(c, undo, show)
		},
	}
	c.Flags().BoolVar(&undo, "undo", false, "undo it now instead")
	c.Flags().BoolVar(&show, "show", false, "only say what waits")
	return c
}

func (a *app) confirm(c *cobra.Command, undo, show bool) error {
	client := a.client()
	defer client.Close()
	ask, did := client.Confirm, "kept"
	switch {
	case undo:
		ask, did = client.Undo, "undone"
	case show:
		ask, did = client.Pending, ""
	}
	p, err := ask(c.Context())
	if err != nil {
		return err
	}
	switch {
	case a.json():
		return a.printJSON(p)
	case !p.Waiting:
		fmt.Fprintln(a.out, "no change waits to be confirmed")
	case show:
		a.printPending(p)
	default:
		fmt.Fprintln(a.out, p.What+": "+did)
	}
	return nil
}

func (a *app) saveCommand() *cobra.Command {
	var r control.SaveRequest
	c := &cobra.Command{
		Use:   "save NAME [--print]",
		Short: "Write an aggregate as it runs into the configuration",
		Long: "Writes the aggregate into the daemon's configuration, so that it is there after the next boot: into the file\n" +
			"that asks for it, or else a new /etc/yoke/NAME.yaml. A power cut leaves the old file or the new one.",
		Example: "  yoke save bond0\n  yoke save bond0 --print > bond0.yaml",
		Args:    words(1, 1), ValidArgsFunction: a.completeAggregates,
		RunE: func(c *cobra.Command, args []string) error { return a.save(c, args[0], r) },
	}
	c.Flags().BoolVar(&r.Print, "print", false, "print the file and write nothing")
	return c
}

func (a *app) save(c *cobra.Command, name string, r control.SaveRequest) error {
	client := a.client()
	defer client.Close()
	saved, err := client.Save(c.Context(), name, r)
	switch {
	case err != nil:
		return err
	case a.json():
		return a.printJSON(saved)
	case r.Print:
		fmt.Fprint(a.out, saved.Text)
	default:
		fmt.Fprintf(a.out, "%s: written to %s\n", name, saved.Path)
	}
	return nil
}
