package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/yokelag/yoke/agg"
)

// helpCommand is `yoke help`, which knows options as well as commands.
func (a *app) helpCommand(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use:     "help [COMMAND | options | OPTION]",
		Short:   "Explain a command or an option",
		Example: "  yoke help up\n  yoke help options\n  yoke help xmit_hash_policy",
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return root.Help()
			}
			if args[0] == "options" {
				return a.listOptions()
			}
			if o, ok := agg.Lookup(args[0], agg.OfBoth); ok {
				a.describeOption(o)
				return nil
			}
			if c, _, err := root.Find(args); err == nil && c != root {
				return c.Help()
			}
			return nothingCalled(root, args[0])
		},
	}
}

// nothingCalled refuses a word that is neither a command nor an option.
func nothingCalled(root *cobra.Command, word string) error {
	var known []string
	for _, c := range root.Commands() {
		known = append(known, c.Name())
	}
	for _, o := range agg.Options() {
		known = append(append(known, o.Name), o.Aliases...)
	}
	remedy := "`yoke help options` lists the options"
	if near := agg.Near(word, known); len(near) > 0 {
		remedy = "did you mean `yoke help " + near[0] + "`?"
	}
	return usageError{fmt.Errorf("there is no command or option %q; %s", word, remedy)}
}

func (a *app) listOptions() error {
	t := a.table()
	fmt.Fprintln(t, "OPTION\tVALUES\tDEFAULT\tOF")
	for _, o := range agg.Options() {
		if o.Built {
			fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", o.Name, valuesOf(&o), orDash(o.Default), scopeText(o.Scope))
		}
	}
	if err := t.Flush(); err != nil {
		return fmt.Errorf("write the options: %w", err)
	}
	var later []string
	for _, o := range agg.Options() {
		if !o.Built {
			later = append(later, o.Name)
		}
	}
	if len(later) > 0 {
		fmt.Fprintf(a.out, "\nKnown, and refused until they are built: %s\n", strings.Join(later, ", "))
	}
	fmt.Fprintln(a.out, "\n`yoke help OPTION` explains one.")
	return nil
}

func (a *app) describeOption(o *agg.Option) {
	fmt.Fprintf(a.out, "%s\n\n%s\n\n", o.Name, o.Doc)
	t := a.table()
	row := func(name, value string) {
		if value != "" {
			fmt.Fprintf(t, "%s\t%s\n", name, value)
		}
	}
	if !o.Built {
		row("built", "not yet; refused by name")
	}
	row("values", valuesOf(o))
	row("of", scopeText(o.Scope))
	row("planes", strings.Join(o.Planes, " "))
	row("modes", modeNames(o.Modes))
	row("aliases", strings.Join(o.Aliases, ", "))
	row("default", orDash(o.Default))
	row("bonding's default", o.Bonding)
	row("teamd's default", o.Teamd)
	row("may change", whenText(o.When))
	row("bonding's file", o.Sysfs)
	row("teamd's key", o.TeamdKey)
	t.Flush()
}

func valuesOf(o *agg.Option) string {
	switch o.Kind {
	case agg.KindEnum:
		var words []string
		for _, v := range o.Values {
			if !v.NotBuilt {
				words = append(words, v.Text)
			}
		}
		return strings.Join(words, " ")
	case agg.KindBool:
		return "on off"
	case agg.KindInt:
		return strings.TrimSpace(fmt.Sprintf("%d..%d %s", o.Min, o.Max, o.Unit))
	case agg.KindDuration:
		return fmt.Sprintf("a time, as 100ms; a bare number counts in %s", unitText(o))
	case agg.KindName:
		return "the name of an interface"
	case agg.KindMAC:
		return "an Ethernet address"
	case agg.KindList:
		return "a list, separated by commas"
	default:
		return "text"
	}
}

func unitText(o *agg.Option) string {
	if o.Unit != "" {
		return o.Unit
	}
	return o.Bare.String()
}

func scopeText(s agg.Scope) string {
	switch s {
	case agg.OfAggregate:
		return "aggregate"
	case agg.OfPort:
		return "port"
	default:
		return "aggregate and port"
	}
}

func modeNames(modes []agg.Mode) string {
	words := make([]string, len(modes))
	for i, m := range modes {
		words[i] = m.String()
	}
	return strings.Join(words, ", ")
}

func whenText(w agg.When) string {
	switch w {
	case agg.DeviceDown:
		return "while the device is down"
	case agg.NoPorts:
		return "while there are no ports"
	case agg.AtCreation:
		return "only with `yoke up`"
	default:
		return "at any time"
	}
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
