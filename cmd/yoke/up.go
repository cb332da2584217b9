package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/control"
)

func (a *app) upCommand() *cobra.Command {
	var r control.UpRequest
	var confirm time.Duration
	c := &cobra.Command{
		Use:   "up NAME [OPTION=VALUE...] PORT[,OPTION=VALUE...]... [--take-over] [--confirm TIME] [--dry-run]",
		Short: "Make an aggregate of ports",
		Long: "Makes the aggregate NAME of the named ports. Without mode= it is active-backup.\n" +
			"A port that has addresses or routes, or belongs to something else, is refused before anything changes.\n" +
			"With --take-over the aggregate gets the addresses and routes of its ports, without cutting off connections over them,\n" +
			"and `yoke down` gives them back. With --confirm all is undone after that time unless `yoke confirm` comes first:\n" +
			"together they join the link under your own session.\n" +
			"--dry-run makes every check and no change. `yoke help options` lists the options.",
		Example: "  yoke up bond0 eth1 eth2\n" +
			"  yoke up bond0 mode=balance-xor xmit_hash_policy=layer3+4 eth1 eth2\n" +
			"  yoke up bond0 updelay=200ms eth1,prio=10 eth2\n" +
			"  yoke up bond0 eth1 eth2 --dry-run\n" +
			"  yoke up bond0 eth0 eth1 --take-over --confirm 60s",
		Args:              words(1, -1),
		ValidArgsFunction: completeUp,
		RunE: func(c *cobra.Command, args []string) error {
			r.ConfirmMS = confirm.Milliseconds()
			return a.up(c, args, r)
		},
	}
	c.Flags().BoolVar(&r.TakeOver, "take-over", false, "move addresses and routes of the ports to the aggregate")
	c.Flags().BoolVar(&r.DryRun, "dry-run", false, "check everything, tell what would be made, and change nothing")
	confirmFlag(c, &confirm)
	return c
}

func (a *app) up(c *cobra.Command, args []string, r control.UpRequest) error {
	spec, err := agg.ParseArgs(args[0], args[1:])
	if err != nil {
		return err
	}
	if err := spec.Validate(); err != nil {
		return err
	}
	client := a.client()
	defer client.Close()
	r.Spec = spec
	list, err := client.UpWith(c.Context(), r)
	if err != nil {
		return err
	}
	if a.json() {
		return a.printJSON(list)
	}
	if r.DryRun {
		a.printFindings("", list.Findings)
		return nil
	}
	for _, s := range list.Aggregates {
		if _, chosen := spec.Options["mode"]; !chosen {
			fmt.Fprintf(a.out, "%s: mode is %s, because none was asked for\n", s.Name, s.Mode)
		}
		a.printWishes(spec)
		fmt.Fprintln(a.out, summary(s))
	}
	if r.ConfirmMS > 0 {
		fmt.Fprintf(a.out, "up %s is undone in %v unless you run `yoke confirm`\n", spec.Name, time.Duration(r.ConfirmMS)*time.Millisecond)
	}
	return nil
}

// printWishes tells of ports that options name and that are not there yet.
func (a *app) printWishes(spec agg.Spec) {
	var ports []control.OptionValue
	for _, p := range spec.Ports {
		ports = append(ports, control.OptionValue{Port: p.Name})
	}
	for _, name := range slices.Sorted(maps.Keys(spec.Options)) {
		v := control.OptionValue{Name: name, Value: spec.Options[name], Set: true}
		if note := wishNote(v, ports); note != "" {
			fmt.Fprintln(a.out, spec.Name+": "+optionLine(v)+note)
		}
	}
}

func (a *app) downCommand() *cobra.Command {
	var all bool
	c := &cobra.Command{
		Use:               "down NAME... | --all",
		Short:             "Take aggregates apart and give their ports back as they were",
		Example:           "  yoke down bond0\n  yoke down --all",
		ValidArgsFunction: a.completeAggregates,
		RunE: func(c *cobra.Command, args []string) error {
			if all == (len(args) > 0) {
				return usageError{fmt.Errorf("name the aggregates, or give --all, and not both")}
			}
			return a.down(c, args, all)
		},
	}
	c.Flags().BoolVar(&all, "all", false, "every aggregate of this daemon")
	return c
}

func (a *app) down(c *cobra.Command, names []string, all bool) error {
	client := a.client()
	defer client.Close()
	removed := control.Removed{Version: control.Version, Names: []string{}}
	var failed error
	if all {
		removed, failed = client.DownAll(c.Context())
	}
	for _, name := range names {
		one, err := client.Down(c.Context(), name)
		if err != nil {
			failed = err
			break
		}
		removed.Names = append(removed.Names, one.Names...)
	}
	if a.json() && (failed == nil || len(removed.Names) > 0) {
		return errors.Join(failed, a.printJSON(removed))
	}
	// What went before a failure is gone all the same.
	for _, name := range removed.Names {
		fmt.Fprintf(a.out, "%s: gone, its ports are given back\n", name)
	}
	if failed == nil && len(removed.Names) == 0 {
		fmt.Fprintln(a.out, "there is no aggregate here")
	}
	return failed
}
