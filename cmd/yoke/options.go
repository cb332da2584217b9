package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/control"
)

func (a *app) setCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "set NAME OPTION=VALUE... [PORT,OPTION=VALUE...]...",
		Short: "Change options and print them as read back",
		Long: "Changes options, all of them or none, and prints what is in force afterwards.\n" +
			"An empty value (OPTION=) goes back to the default.",
		Example:           "  yoke set bond0 primary=eth2\n  yoke set bond0 updelay=200ms eth1,prio=10\n  yoke set bond0 primary=",
		Args:              words(2, -1),
		ValidArgsFunction: a.completeSet,
		RunE:              func(c *cobra.Command, args []string) error { return a.set(c, args) },
	}
}

func (a *app) set(c *cobra.Command, args []string) error {
	request, err := parseSet(args[1:])
	if err != nil {
		return err
	}
	client := a.client()
	defer client.Close()
	options, err := client.Set(c.Context(), args[0], request.SetRequest)
	if err != nil {
		return err
	}
	if a.json() {
		return a.printJSON(options)
	}
	for _, v := range options.Values {
		if request.names(v) {
			fmt.Fprintln(a.out, optionLine(v)+wishNote(v, options.Values))
		}
	}
	a.printFindings("", options.Findings)
	return nil
}

// wishNote says of a port that is named and is not there yet that it is remembered.
func wishNote(v control.OptionValue, all []control.OptionValue) string {
	o, ok := agg.Lookup(v.Name, agg.OfAggregate)
	if !ok || o.Kind != agg.KindName || v.Port != "" || v.Value == "" {
		return ""
	}
	isPort := func(p control.OptionValue) bool { return p.Port == v.Value }
	if slices.ContainsFunc(all, isPort) {
		return ""
	}
	return fmt.Sprintf(": %s is not a port yet; it will be %s when it joins", v.Value, v.Name)
}

// setWords is a SetRequest that remembers canonical names for printing.
type setWords struct{ control.SetRequest }

func parseSet(args []string) (setWords, error) {
	r := setWords{control.SetRequest{Set: map[string]string{}, Ports: map[string]map[string]string{}}}
	for _, arg := range args {
		port, rest, isPort := strings.Cut(arg, ",")
		if !isPort || strings.Contains(port, "=") {
			if err := putWord(r.Set, arg); err != nil {
				return r, err
			}
			continue
		}
		if r.Ports[port] == nil {
			r.Ports[port] = map[string]string{}
		}
		for word := range strings.SplitSeq(rest, ",") {
			if err := putWord(r.Ports[port], word); err != nil {
				return r, err
			}
		}
	}
	return r, nil
}

func putWord(into map[string]string, word string) error {
	key, value, ok := strings.Cut(word, "=")
	if !ok {
		return usageError{fmt.Errorf("%q is not of the form OPTION=VALUE; ports are added with `yoke add`", word)}
	}
	into[key] = value
	return nil
}

// names reports whether v is one of the options that were to be set.
func (r setWords) names(v control.OptionValue) bool {
	scope, asked := agg.OfAggregate, r.Set
	if v.Port != "" {
		scope, asked = agg.OfPort, r.Ports[v.Port]
	}
	for key := range asked {
		if o, ok := agg.Lookup(key, scope); ok && o.Name == v.Name {
			return true
		}
	}
	return false
}

func optionLine(v control.OptionValue) string {
	line := v.Name + "=" + v.Value
	if v.Port != "" {
		line = v.Port + "," + line
	}
	if !v.Set {
		line += " (default)"
	}
	return line
}

func (a *app) getCommand() *cobra.Command {
	var all bool
	c := &cobra.Command{
		Use:     "get NAME [OPTION...]",
		Short:   "Print options that are in force",
		Long:    "Prints the options that were set, or the named ones, or with --all every one with its default.",
		Example: "  yoke get bond0\n  yoke get bond0 mode miimon\n  yoke get bond0 --all",
		Args:    words(1, -1), ValidArgsFunction: a.completeGet,
		RunE: func(c *cobra.Command, args []string) error { return a.get(c, args[0], args[1:], all) },
	}
	c.Flags().BoolVar(&all, "all", false, "defaults too")
	return c
}

func (a *app) get(c *cobra.Command, name string, keys []string, all bool) error {
	wanted, err := canonicalNames(keys)
	if err != nil {
		return err
	}
	client := a.client()
	defer client.Close()
	options, err := client.Options(c.Context(), name)
	if err != nil {
		return err
	}
	options.Values = slices.DeleteFunc(options.Values, func(v control.OptionValue) bool {
		if len(wanted) > 0 {
			return !slices.Contains(wanted, v.Name)
		}
		return !all && !v.Set
	})
	if a.json() {
		return a.printJSON(options)
	}
	for _, v := range options.Values {
		fmt.Fprintln(a.out, optionLine(v))
	}
	if len(options.Values) == 0 {
		fmt.Fprintf(a.out, "nothing is set; `yoke get %s --all` prints the defaults\n", name)
	}
	return nil
}

func canonicalNames(keys []string) ([]string, error) {
	var names []string
	for _, key := range keys {
		o, ok := agg.Lookup(key, agg.OfBoth)
		if !ok {
			var scratch agg.Settings
			return nil, scratch.Set(agg.OfAggregate, key, "")
		}
		names = append(names, o.Name)
	}
	return names, nil
}
