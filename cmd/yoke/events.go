package main

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/yokelag/yoke/control"
)

func (a *app) eventsCommand() *cobra.Command {
	var q control.EventsQuery
	c := &cobra.Command{
		Use:   "events [NAME] [--follow] [--since N | --since NAME=N,...]",
		Short: "Print what happened, oldest first",
		Long: "Prints the events that are kept. Each aggregate numbers its own; NAME --since N goes on after number N,\n" +
			"and --since NAME=N,NAME=N after those of several, with all events of the others.\n" +
			"It says which were lost where they are no longer kept. With -o json every line is an object.",
		Example: "  yoke events\n  yoke events bond0 --follow\n  yoke events bond0 --since 41 -o json\n  yoke events --follow --since bond0=41,bond1=7",
		Args:    words(0, 1), ValidArgsFunction: a.completeAggregates,
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 1 {
				q.Aggregate = args[0]
			}
			return a.events(c, q)
		},
	}
	c.Flags().BoolVar(&q.Follow, "follow", false, "go on with what happens next")
	c.Flags().StringVar(&q.Since, "since", "", "only events after this number, or after NAME=N,NAME=N")
	return c
}

func (a *app) events(c *cobra.Command, q control.EventsQuery) error {
	client := a.client()
	defer client.Close()
	enc := json.NewEncoder(a.out)
	err := client.Events(c.Context(), q, func(item control.StreamItem) error {
		if a.json() {
			return enc.Encode(item)
		}
		_, err := fmt.Fprintln(a.out, eventLine(item))
		return err
	})
	if c.Context().Err() != nil {
		return nil // the user ended it
	}
	return err
}

func eventLine(item control.StreamItem) string {
	if l := item.Lost; l != nil {
		return fmt.Sprintf("%s: events %d to %d are no longer kept", l.Aggregate, l.First, l.Last)
	}
	e := item.Event
	if e == nil {
		return ""
	}
	return fmt.Sprintf("%6d  %s  %s: %s", e.Seq, item.Wall.Local().Format("2006-01-02 15:04:05.000"), e.Aggregate, e.Text)
}
