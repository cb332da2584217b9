package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/yokelag/yoke/control"
)

func (a *app) explainCommand() *cobra.Command {
	var flow, reach string
	c := &cobra.Command{
		Use:   "explain NAME --flow FIELDS [--reach PORT]",
		Short: "Say which port a flow takes, or which source port makes it take another",
		Long: "Computes the port, hash and bucket of a flow from the table read back from the plane.\n" +
			"FIELDS: src dst proto sport dport, and smac dmac vlan where the policy reads them.\n" +
			"With --reach PORT it finds a source port with which the same flow takes PORT.",
		Example: "  yoke explain bond0 --flow src=10.0.0.1,dst=10.0.0.2,proto=tcp,sport=40000,dport=443\n" +
			"  yoke explain bond0 --flow src=10.0.0.1,dst=10.0.0.2,proto=tcp,dport=443 --reach eth2",
		Args: words(1, 1), ValidArgsFunction: a.completeAggregates,
		RunE: func(c *cobra.Command, args []string) error { return a.explain(c, args[0], flow, reach) },
	}
	c.Flags().StringVar(&flow, "flow", "", "the flow's fields, as src=10.0.0.1,dst=10.0.0.2,proto=tcp,sport=40000,dport=443")
	c.Flags().StringVar(&reach, "reach", "", "find a source port with which the flow takes this port")
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
