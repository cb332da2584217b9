package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/yokelag/yoke/control"
)

func (a *app) explainCommand() *cobra.Command {
	var flow, reach, spread string
	c := &cobra.Command{
		Use:   "explain NAME --flow FIELDS [--reach PORT] | --spread TIME|FILE",
		Short: "Say which port a flow takes, or how evenly each policy would share your traffic",
		Long: "Computes the port, hash and bucket of a flow from the table read back from the plane.\n" +
			"FIELDS: src dst proto sport dport, and smac dmac vlan where the policy reads them.\n" +
			"With --reach PORT it finds a source port with which the same flow takes PORT.\n" +
			"With --spread it tells for every xmit_hash_policy how much more than a fair share the busiest of the aggregate's ports would\n" +
			"carry: of what the aggregate sends in a TIME such as 5s, for which it needs root, or of a FILE that `tcpdump -i NAME -c 20000\n" +
			"-w FILE` wrote.",
		Example: "  yoke explain bond0 --flow src=10.0.0.1,dst=10.0.0.2,proto=tcp,sport=40000,dport=443\n" +
			"  yoke explain bond0 --flow src=10.0.0.1,dst=10.0.0.2,proto=tcp,dport=443 --reach eth2\n" +
			"  yoke explain bond0 --spread 5s\n" +
			"  yoke explain bond0 --spread t.pcap",
		Args: words(1, 1), ValidArgsFunction: a.completeAggregates,
		RunE: func(c *cobra.Command, args []string) error {
			if spread == "" {
				return a.explain(c, args[0], flow, reach)
			}
			if flow != "" || reach != "" {
				return usageError{fmt.Errorf("--spread is of a whole capture; leave out --flow and --reach")}
			}
			return a.spread(c, args[0], spread)
		},
	}
	c.Flags().StringVar(&flow, "flow", "", "the flow's fields, as src=10.0.0.1,dst=10.0.0.2,proto=tcp,sport=40000,dport=443")
	c.Flags().StringVar(&reach, "reach", "", "find a source port with which the flow takes this port")
	c.Flags().StringVar(&spread, "spread", "", "compare the hash policies by the aggregate's traffic, for this time or in this pcap or pcapng")
	_ = c.RegisterFlagCompletionFunc("reach", a.completePorts)
	return c
}

func (a *app) explain(c *cobra.Command, name, text, reach string) error {
	if text == "" {
		return usageError{fmt.Errorf("--flow is missing; for example `%s`", firstLine(c.Example))}
	}
	client := a.client()
	defer client.Close()
	e, err := client.Explain(c.Context(), name, control.ExplainRequest{Flow: text, Reach: reach})
	if err != nil {
		return err
	}
	if a.json() {
		return a.printJSON(e)
	}
	fmt.Fprintln(a.out, e.Text)
	return nil
}
