package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"time"

	"github.com/spf13/cobra"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/compat/teamd"
	"github.com/yokelag/yoke/control"
	"github.com/yokelag/yoke/lacp"
)

func (a *app) statusCommand() *cobra.Command {
	var verbose, asProc bool
	c := &cobra.Command{
		Use:   "status [NAME] [-v | --as-proc]",
		Short: "Show what carries traffic, and why the rest does not",
		Long: "Shows each aggregate: first how many ports carry traffic, then each port's chain of gates, the plan in force,\n" +
			"and findings. Where no daemon runs it shows what saved state and the plane tell. For scripts made for others,\n" +
			"--as-proc prints what the bonding driver has in /proc/net/bonding, and -o teamd what `teamdctl NAME state dump` prints.",
		Example: "  yoke status\n  yoke status bond0 -v\n  yoke status bond0 -o json\n  yoke status bond0 --as-proc\n  yoke status bond0 -o teamd",
		Args:    words(0, 1), ValidArgsFunction: a.completeAggregates,
		RunE: func(c *cobra.Command, args []string) error {
			name := ""
			if len(args) == 1 {
				name = args[0]
			}
			if asProc {
				return a.proc(c, name)
			}
			list, err := a.statuses(c, name)
			if err != nil {
				return err
			}
			if a.output == "teamd" {
				return a.asTeamd(list)
			}
			return a.printStatuses(list, verbose)
		},
	}
	c.Flags().BoolVarP(&verbose, "verbose", "v", false, "every gate with its reason and time, and all counters")
	c.Flags().BoolVar(&asProc, "as-proc", false, "the text that the bonding driver has in /proc/net/bonding/NAME")
	return c
}

// statuses asks the daemon, or where none runs has yoked read what there is.
// A daemon that holds its state and does not answer is starting or dying: it is waited
// for.
func (a *app) statuses(c *cobra.Command, name string) (control.StatusList, error) {
	for end := time.Now().Add(startWithin); ; {
		list, err := a.askStatuses(c.Context(), name)
		if !control.HasCode(err, control.CodeNoDaemon) {
			return list, err
		}
		list, err = a.withoutDaemon(c, name, err)
		var held servedError
		if !errors.As(err, &held) {
			return list, err
		}
		if time.Now().After(end) {
			fmt.Fprint(a.err, held.says)
			return list, quietExit(exitFailed)
		}
		select {
		case <-c.Context().Done():
			return list, c.Context().Err()
		case <-time.After(startWithin / 50):
		}
	}
}

// startWithin is how long a daemon may take between locking its state and answering.
const startWithin = 5 * time.Second

// servedError is what yoked says of a daemon that holds the state.
type servedError struct{ says string }

func (s servedError) Error() string { return s.says }

func (a *app) askStatuses(ctx context.Context, name string) (control.StatusList, error) {
	client := a.client()
	defer client.Close()
	if name == "" {
		return client.List(ctx)
	}
	return client.Status(ctx, name)
}

func (a *app) withoutDaemon(c *cobra.Command, name string, noDaemon error) (control.StatusList, error) {
	var list control.StatusList
	out, says, err := a.inspect(c.Context(), name)
	if failed, ok := errors.AsType[*exec.ExitError](err); ok {
		if failed.ExitCode() == control.ExitServed {
			return list, servedError{says}
		}
		fmt.Fprint(a.err, says)
		return list, quietExit(failed.ExitCode())
	}
	if err != nil {
		return list, noDaemon
	}
	if err := json.Unmarshal(out, &list); err != nil {
		return list, fmt.Errorf("read what yoked inspect printed: %w", err)
	}
	if len(list.Aggregates) == 0 {
		return list, noDaemon
	}
	return list, nil
}

func (a *app) printStatuses(list control.StatusList, verbose bool) error {
	if a.json() {
		return a.printJSON(list)
	}
	if len(list.Aggregates) == 0 {
		fmt.Fprintln(a.out, "there is no aggregate yet; make one with `yoke up bond0 PORT PORT`")
	}
	for i, s := range list.Aggregates {
		if i > 0 {
			fmt.Fprintln(a.out)
		}
		if err := a.printStatus(s, verbose); err != nil {
			return err
		}
	}
	a.printFindings("", list.Findings)
	return nil
}

// proc prints an aggregate, or each, as the bonding driver words it.
func (a *app) proc(c *cobra.Command, name string) error {
	if a.output != "text" {
		return usageError{fmt.Errorf("--as-proc is a text; leave out -o %s", a.output)}
	}
	client := a.client()
	defer client.Close()
	names := []string{name}
	if name == "" {
		list, err := client.List(c.Context())
		if err != nil {
			return err
		}
		names = nil
		for _, s := range list.Aggregates {
			names = append(names, s.Name)
		}
	}
	for i, n := range names {
		text, err := client.Proc(c.Context(), n)
		if err != nil {
			return err
		}
		if i > 0 {
			fmt.Fprintln(a.out)
		}
		fmt.Fprint(a.out, text)
	}
	return nil
}

// asTeamd prints one aggregate as teamdctl would.
func (a *app) asTeamd(list control.StatusList) error {
	if len(list.Aggregates) != 1 {
		return usageError{fmt.Errorf("teamd has one device; name one of %d aggregates: `yoke status NAME -o teamd`", len(list.Aggregates))}
	}
	text, err := teamd.State(list.Aggregates[0])
	if err == nil {
		_, err = a.out.Write(text)
	}
	return err
}

func (a *app) whyCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "why PORT|NAME",
		Short: "Say in one sentence why a port carries traffic or does not",
		Long: "Says it in one sentence and by the exit code: 0 carries traffic, 5 is ready and would take over, 6 cannot carry.\n" +
			"For an aggregate: 0 where every port carries or is ready, 6 where one cannot.",
		Example: "  yoke why eth3",
		Args:    words(1, 1), ValidArgsFunction: a.completePorts,
		RunE: func(c *cobra.Command, args []string) error {
			list, err := a.statuses(c, "")
			if err != nil {
				return err
			}
			return a.why(list, args[0])
		},
	}
}

func (a *app) why(list control.StatusList, name string) error {
	for _, s := range list.Aggregates {
		if s.Name == name {
			return a.answer(agg.PortStatus{Text: summary(s)}, whyAggregate(s))
		}
		for _, p := range s.Ports {
			if p.Name == name {
				return a.answer(p, whyPort(p))
			}
		}
	}
	return &agg.Problem{Code: control.CodeNotFound, Object: name, Rule: "is neither a port nor an aggregate here",
		Remedy: "`yoke status` lists them; make it a port with `yoke add NAME " + name + "`"}
}

// whyAnswer is what `yoke why -o json` prints.
type whyAnswer struct {
	Version int    `json:"version"`
	Port    string `json:"port,omitempty"`
	Reason  string `json:"reason,omitempty"`
	Text    string `json:"text"`
	Exit    int    `json:"exit"`
}

func (a *app) answer(p agg.PortStatus, code int) error {
	if a.json() {
		if err := a.printJSON(whyAnswer{control.Version, p.Name, p.Reason, p.Text, code}); err != nil {
			return err
		}
	} else {
		fmt.Fprintln(a.out, p.Text)
	}
	if code != exitOK {
		return quietExit(code)
	}
	return nil
}

func whyPort(p agg.PortStatus) int {
	switch {
	case p.Carrying:
		return exitOK
	case ready(p):
		return exitStandby
	default:
		return exitCannotCarry
	}
}

// ready: every gate before the policy's is open, so the port could carry.
func ready(p agg.PortStatus) bool {
	for _, g := range p.Gates {
		if g.Name == agg.GatePolicy {
			return !g.OK
		}
		if !g.OK && g.Name == agg.GateLACP {
			return g.Reason == string(lacp.ReasonStandby)
		}
		if !g.OK {
			return false
		}
	}
	return false
}

func whyAggregate(s agg.Status) int {
	if s.Carrying == 0 {
		return exitCannotCarry
	}
	for _, p := range s.Ports {
		if whyPort(p) == exitCannotCarry {
			return exitCannotCarry
		}
	}
	return exitOK
}
