package main

import (
	"context"
	"net"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/yokelag/yoke/agg"
)

const noFiles = cobra.ShellCompDirectiveNoFileComp

// known asks the daemon for its aggregates; a shell must not hang on it.
func (a *app) known() []agg.Status {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	client := a.client()
	defer client.Close()
	list, err := client.List(ctx)
	if err != nil {
		return nil
	}
	return list.Aggregates
}

func (a *app) completeAggregates(_ *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	var names []string
	for _, s := range a.known() {
		names = append(names, s.Name+"\t"+s.Summary)
	}
	return names, noFiles
}

func (a *app) portNames(aggregate string) []string {
	var names []string
	for _, s := range a.known() {
		if aggregate == "" || s.Name == aggregate {
			for _, p := range s.Ports {
				names = append(names, p.Name)
			}
		}
	}
	return names
}

func (a *app) completeMembers(c *cobra.Command, args []string, to string) ([]string, cobra.ShellCompDirective) {
	if len(args) == 0 {
		return a.completeAggregates(c, args, to)
	}
	return a.portNames(args[0]), noFiles
}

func (a *app) completePorts(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return a.portNames(""), noFiles
}

func (a *app) completeAdd(c *cobra.Command, args []string, to string) ([]string, cobra.ShellCompDirective) {
	if len(args) == 0 {
		return a.completeAggregates(c, args, to)
	}
	return interfaces(), noFiles
}

func (a *app) completeSet(c *cobra.Command, args []string, to string) ([]string, cobra.ShellCompDirective) {
	if len(args) == 0 {
		return a.completeAggregates(c, args, to)
	}
	return optionWords(to, agg.OfAggregate), noFiles | cobra.ShellCompDirectiveNoSpace
}

func (a *app) completeGet(c *cobra.Command, args []string, to string) ([]string, cobra.ShellCompDirective) {
	if len(args) == 0 {
		return a.completeAggregates(c, args, to)
	}
	var names []string
	for _, o := range agg.Options() {
		if o.Built {
			names = append(names, o.Name)
		}
	}
	return names, noFiles
}

func completeUp(_ *cobra.Command, args []string, to string) ([]string, cobra.ShellCompDirective) {
	if len(args) == 0 {
		return nil, noFiles
	}
	return append(interfaces(), optionWords(to, agg.OfAggregate)...), noFiles
}

// optionWords are the options to complete, or after "option=" its values.
func optionWords(to string, scope agg.Scope) []string {
	var out []string
	key, _, valued := strings.Cut(to, "=")
	for _, o := range agg.Options() {
		switch {
		case o.Scope&scope == 0 || !o.Built:
		case !valued:
			out = append(out, o.Name+"=")
		case o.Name == key:
			for _, v := range o.Values {
				out = append(out, key+"="+v.Text)
			}
		}
	}
	return out
}

func interfaces() []string {
	links, err := net.Interfaces()
	if err != nil {
		return nil
	}
	var names []string
	for _, l := range links {
		if l.Flags&net.FlagLoopback == 0 {
			names = append(names, l.Name)
		}
	}
	return names
}
