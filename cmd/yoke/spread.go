package main

import (
	"bytes"
	"fmt"
	"slices"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/control"
	"github.com/yokelag/yoke/policy"
)

// spreading is what `yoke explain --spread -o json` prints.
type spreading struct {
	Version   int            `json:"version"`
	Aggregate string         `json:"aggregate"`
	Ports     int            `json:"ports"`
	Frames    uint64         `json:"frames"`
	Bytes     uint64         `json:"bytes"`
	Now       string         `json:"policy_now,omitempty"`
	Policies  []policy.Share `json:"policies"`
	Advice    string         `json:"advice"`
}

// spread compares the policies by the frames of a file, or for a time by those that pass;
// but those to the aggregate itself: which ports they come by the other end chooses.
func (a *app) spread(c *cobra.Command, name, source string) error {
	list, err := a.statuses(c, name)
	if err != nil {
		return err
	}
	s := list.Aggregates[0]
	if s.Total < 2 {
		return &agg.Problem{Code: "too-few-ports", Object: name, Rule: fmt.Sprintf("has %d ports: there is nothing to share", s.Total), Remedy: "`yoke add " + name + " PORT` gives it one more"}
	}
	config := s.Spec.Config()
	shares := policy.NewShares(s.Total, config.HashMap)
	err = a.framesOf(c.Context(), s, source, func(frame []byte, length int) {
		if !bytes.HasPrefix(frame, s.Device.MAC[:]) {
			shares.Add(frame, length)
		}
	})
	if err != nil {
		return err
	}
	each := shares.Each()
	if each == nil {
		return &agg.Problem{Code: "no-frames", Object: source, Rule: "holds no frame that the aggregate sent", Remedy: "`tcpdump -i " + name + " -c 20000 -w t.pcap` while there is traffic"}
	}
	out := spreading{Version: control.Version, Aggregate: name, Ports: s.Total, Frames: shares.Frames, Bytes: shares.Bytes, Policies: each}
	if slices.Contains([]agg.Mode{agg.BalanceXOR, agg.LACP}, config.Mode) {
		out.Now = config.HashPolicy.String()
	}
	out.Advice = adviseShares(out)
	if a.json() {
		return a.printJSON(out)
	}
	return a.printSpread(out)
}

// evenEnough is how near the best a policy is for the difference not to be worth a change.
const evenEnough = 1.1

// adviseShares names the most even policy, the one in force where that is as good.
func adviseShares(s spreading) string {
	best := slices.MinFunc(s.Policies, func(a, b policy.Share) int { return int(100*a.Bytes) - int(100*b.Bytes) })
	for _, p := range s.Policies {
		if p.Policy.String() == s.Now && p.Bytes <= best.Bytes*evenEnough {
			return s.Now + " is as good as any for this traffic"
		}
	}
	if best.Bytes*evenEnough >= float64(s.Ports) {
		return "no policy shares this traffic: it is one conversation to all of them"
	}
	if s.Now == "" {
		return fmt.Sprintf("%s would share this traffic best; only modes balance-xor and 802.3ad use it", best.Policy)
	}
	return fmt.Sprintf("%s would share this traffic best: `yoke set %s xmit_hash_policy=%s`", best.Policy, s.Aggregate, best.Policy)
}

func (a *app) printSpread(s spreading) error {
	fmt.Fprintf(a.out, "%d frames, %d bytes that %s sent, shared among %d ports; the busiest port would carry\n", s.Frames, s.Bytes, s.Aggregate, s.Ports)
	w := tabwriter.NewWriter(a.out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, "  POLICY\tOF BYTES\tOF FRAMES\tHASHES")
	for _, p := range s.Policies {
		note := ""
		if p.Policy.String() == s.Now {
			note = "\tnow"
		}
		fmt.Fprintf(w, "  %s\t%.2f of a fair share\t%.2f\t%d%s\n", p.Policy, p.Bytes, p.Frames, p.Hashes, note)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(a.out, s.Advice)
	return nil
}
