package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/control"
)

func (a *app) upCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "up NAME [OPTION=VALUE...] PORT[,OPTION=VALUE...]...",
		Short: "Make an aggregate of ports",
		Long: "Makes the aggregate NAME of the named ports. Without mode= it is active-backup.\n" +
			"A port that has addresses or routes, or belongs to something else, is refused before anything changes.\n" +
			"`yoke help options` lists the options.",
		Example: "  yoke up bond0 eth1 eth2\n" +
			"  yoke up bond0 mode=balance-xor xmit_hash_policy=layer3+4 eth1 eth2\n" +
			"  yoke up bond0 updelay=200ms eth1,prio=10 eth2",
		Args:              words(1, -1),
		ValidArgsFunction: completeUp,
		RunE:              func(c *cobra.Command, args []string) error { return a.up(c, args) },
	}
}

func (a *app) up(c *cobra.Command, args []string) error {
	spec, err := agg.ParseArgs(args[0], args[1:])
	if err != nil {
		return err
	}
	if err := spec.Validate(); err != nil {
		return err
	}
	client := a.client()
	defer client.Close()
	list, err := client.Up(c.Context(), spec)
	if err != nil {
		return err
	}
	if a.json() {
		return a.printJSON(list)
	}
	for _, s := range list.Aggregates {
		if _, chosen := spec.Options["mode"]; !chosen {
			fmt.Fprintf(a.out, "%s: mode is %s, because none was asked for\n", s.Name, s.Mode)
		}
		a.printWishes(spec)
		fmt.Fprintln(a.out, summary(s))
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
