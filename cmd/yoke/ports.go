package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/control"
)

func (a *app) addCommand() *cobra.Command {
	return &cobra.Command{
		Use:               "add NAME PORT[,OPTION=VALUE...]...",
		Short:             "Give an aggregate more ports",
		Example:           "  yoke add bond0 eth3\n  yoke add bond0 eth3,prio=10 eth4",
		Args:              words(2, -1),
		ValidArgsFunction: a.completeAdd,
		RunE: func(c *cobra.Command, args []string) error {
			ports, err := parsePorts(args[1:])
			if err != nil {
				return err
			}
			client := a.client()
			defer client.Close()
			list, err := client.Add(c.Context(), args[0], ports)
			return a.changed(list, err)
		},
	}
}

func parsePorts(args []string) ([]agg.PortSpec, error) {
	var ports []agg.PortSpec
	var problems agg.Problems
	for _, arg := range args {
		p, more := agg.ParsePort(arg)
		ports, problems = append(ports, p), append(problems, more...)
	}
	return ports, problems.Err()
}

func (a *app) removeCommand() *cobra.Command {
	return &cobra.Command{
		Use:               "remove NAME PORT...",
		Short:             "Give ports of an aggregate back as they were, all that are named or none",
		Example:           "  yoke remove bond0 eth3\n  yoke remove bond0 eth3 eth4",
		Args:              words(2, -1),
		ValidArgsFunction: a.completeMembers,
		RunE: func(c *cobra.Command, args []string) error {
			client := a.client()
			defer client.Close()
			list, err := client.Remove(c.Context(), args[0], args[1:]...)
			return a.changed(list, err)
		},
	}
}

// changed prints what an aggregate is after a change.
func (a *app) changed(list control.StatusList, err error) error {
	if err != nil {
		return err
	}
	if a.json() {
		return a.printJSON(list)
	}
	for _, s := range list.Aggregates {
		fmt.Fprintln(a.out, summary(s))
		for _, f := range s.Findings {
			if f.Code == control.FindingAddressShared {
				a.printFindings("  ", []agg.Finding{f})
			}
		}
	}
	return nil
}
