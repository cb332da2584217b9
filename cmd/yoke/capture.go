package main

import (
	"bytes"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/yokelag/yoke/control"
)

func (a *app) captureCommand() *cobra.Command {
	var file string
	c := &cobra.Command{
		Use:   "capture NAME [-w FILE]",
		Short: "Write the last LACPDUs and transitions of an aggregate to a file",
		Long: "The daemon keeps the last steps of LACP: frames in and out, links, time and configuration. This writes\n" +
			"them as NAME.pcapng, or to FILE (- is the standard output), which tcpdump and Wireshark read; and\n" +
			"`yoke replay` repeats them on any machine, bit for bit. Nothing is captured from now on: it is there already.",
		Example: "  yoke capture bond0\n  yoke capture bond0 -w before.pcapng\n  yoke capture bond0 -w -",
		Args:    words(1, 1), ValidArgsFunction: a.completeAggregates,
		RunE: func(c *cobra.Command, args []string) error { return a.capture(c, args[0], file) },
	}
	c.Flags().StringVarP(&file, "write", "w", "", "the file to write (default NAME.pcapng)")
	return c
}

// captured is what capture prints as JSON.
type captured struct {
	Version   int    `json:"version"`
	Aggregate string `json:"aggregate"`
	File      string `json:"file"`
	Bytes     int64  `json:"bytes"`
}

func (a *app) capture(c *cobra.Command, name, file string) error {
	client := a.client()
	defer client.Close()
	if file == "-" {
		_, err := client.Capture(c.Context(), name, a.out)
		return err
	}
	if file == "" {
		file = name + ".pcapng"
	}
	var b bytes.Buffer // so that a refusal leaves no empty file
	n, err := client.Capture(c.Context(), name, &b)
	if err != nil {
		return err
	}
	if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
		return err
	}
	if a.json() {
		return a.printJSON(captured{control.Version, name, file, n})
	}
	fmt.Fprintf(a.out, "%s: %d bytes; `yoke replay %s` tells them, tcpdump -r reads the frames\n", file, n, file)
	return nil
}
