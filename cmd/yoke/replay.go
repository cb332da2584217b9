package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/capture"
	"github.com/yokelag/yoke/lacp/trace"
)

func (a *app) replayCommand() *cobra.Command {
	var as string
	var every bool
	c := &cobra.Command{
		Use:   "replay FILE... [--as MAC] [--all]",
		Short: "Run the LACP machines over a capture, and print every transition with its cause",
		Long: "FILE is what `yoke capture` wrote: then the steps of the daemon are repeated, and it says whether the\n" +
			"same came of them. Or any pcap or pcapng of Ethernet with LACPDUs, one FILE for each port where they were\n" +
			"captured apart: then it tells what Yoke would have done in the place of one of the systems that speak\n" +
			"there, the most talkative one or that of --as. It needs no daemon and no privilege.",
		Example: "  yoke replay bond0.pcapng\n  yoke replay eth1.pcap eth2.pcap --as 02:00:00:00:00:01",
		Args:    words(1, -1),
		RunE: func(c *cobra.Command, args []string) error {
			return interruptible(c.Context(), func() error { return a.replay(args, as, every) })
		},
	}
	c.Flags().StringVar(&as, "as", "", "the system to stand in for, by its address in LACPDUs")
	c.Flags().BoolVar(&every, "all", false, "print also the LACPDUs that changed nothing")
	return c
}

// interruptible leaves f behind where ctx ends first: files that are not there yet, such
// as pipes, are waited for without an end.
func interruptible(ctx context.Context, f func() error) error {
	done := make(chan error, 1)
	go func() { done <- f() }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (a *app) replay(names []string, as string, every bool) error {
	files, err := openAll(names)
	if err != nil {
		return err
	}
	f := files[0]
	if f.Trace != nil {
		if as != "" {
			return repeatedAlone(names[0])
		}
		return a.replayRing(f, every)
	}
	frames := merge(files)
	t, err := a.guess(names, frames, as)
	if err != nil {
		return err
	}
	return t.Tell(a.out, trace.Telling{Every: every, Time: f.Time})
}

func (a *app) replayRing(f capture.File, every bool) error {
	fmt.Fprintf(a.out, "%s: %d steps as the daemon took them\n\n", f.Aggregate, len(f.Trace.Records))
	err := f.Trace.Tell(a.out, trace.Telling{Every: every, Time: f.Time})
	if differs, ok := errors.AsType[*trace.Difference](err); ok {
		return &agg.Problem{Code: "replay-differs", Object: f.Aggregate, Rule: "the replay is not what the daemon did: " + differs.Error(),
			Remedy: "replay with the yoke of the daemon's release; if it is, report it with this file"}
	}
	if err == nil {
		fmt.Fprintln(a.out, "\nThe replay is what the daemon did, bit for bit.")
	}
	return err
}

func repeatedAlone(name string) error {
	return usageError{fmt.Errorf("%s is of `yoke capture`: it is replayed alone and as itself", name)}
}

func openAll(names []string) ([]capture.File, error) {
	var out []capture.File
	for _, name := range names {
		in, err := os.Open(name)
		if pathErr, ok := errors.AsType[*os.PathError](err); ok {
			return nil, &agg.Problem{Code: "no-capture", Object: name, Rule: pathErr.Err.Error(),
				Remedy: "name a file that `yoke capture` or tcpdump -w wrote"}
		}
		if err != nil {
			return nil, err
		}
		f, err := capture.Read(in)
		_ = in.Close()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if f.Trace != nil && len(names) > 1 {
			return nil, repeatedAlone(name)
		}
		out = append(out, f)
	}
	return out, nil
}

// merge puts the frames of several files on the clock of the first. Each file has its own
// interfaces.
func merge(files []capture.File) []trace.Captured {
	var out []trace.Captured
	for i, f := range files {
		shift := f.Boot.Sub(files[0].Boot)
		for _, c := range f.Frames {
			c.At, c.Interface = c.At.Add(shift), c.Interface+i<<16
			out = append(out, c)
		}
	}
	return out
}

// guess stands in for a system of the capture, and says for whom.
func (a *app) guess(names []string, frames []trace.Captured, as string) (trace.Trace, error) {
	systems := trace.Systems(frames)
	if len(systems) == 0 {
		return trace.Trace{}, &agg.Problem{Code: "no-lacp", Object: strings.Join(names, " "), Rule: "there is no LACPDU in it",
			Remedy: "capture on the port, not on the aggregate: `tcpdump -i eth1 -w eth1.pcap ether proto 0x8809`"}
	}
	system := systems[0]
	if as != "" {
		m, err := agg.ParseMAC(as)
		if err != nil {
			return trace.Trace{}, usageError{fmt.Errorf("--as %s: %w", as, err)}
		}
		system = m
	}
	t, err := trace.Guess(frames, system)
	if err != nil {
		var others []string
		for _, s := range systems {
			others = append(others, "`--as "+s.String()+"`")
		}
		return t, &agg.Problem{Code: "no-system", Object: system.String(), Rule: err.Error(), Remedy: strings.Join(others, " or ")}
	}
	fmt.Fprintf(a.out, "%d LACP frames; Yoke in the place of %v, with %d ports", len(frames), system, len(t.Begin.Config.Ports))
	for _, s := range systems {
		if s != system {
			fmt.Fprintf(a.out, "; --as %v is another", s)
		}
	}
	fmt.Fprint(a.out, "\n\n")
	return t, nil
}
