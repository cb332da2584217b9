package lab

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os/exec"
	"syscall"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/control"
)

// A daemon refuses clients of other network namespaces, and goes by the process for
// that. So it is asked by a process of its host, which is this program again.

// Ask prints the status of an aggregate as JSON. It is what the process in the host
// does.
func Ask(ctx context.Context, socket, aggregate string, out io.Writer) error {
	client := control.NewClient(socket)
	defer client.Close()
	list, err := client.Status(ctx, aggregate)
	if err != nil {
		return err
	}
	if len(list.Aggregates) != 1 {
		return fmt.Errorf("the daemon answered with %d aggregates", len(list.Aggregates))
	}
	return json.NewEncoder(out).Encode(list.Aggregates[0])
}

func (y *yoked) status(ctx context.Context, aggregate string) (agg.Status, error) {
	var s agg.Status
	var out, errs bytes.Buffer
	cmd := exec.CommandContext(ctx, y.binary, "lab", "ask", y.socket(), aggregate)
	cmd.Stdout, cmd.Stderr = &out, &errs
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	if err := y.host.space.do(cmd.Start); err != nil {
		return s, fmt.Errorf("ask the daemon of %s: %w", y.host.name, err)
	}
	if err := cmd.Wait(); err != nil {
		return s, fmt.Errorf("ask the daemon of %s: %w: %s", y.host.name, err, bytes.TrimSpace(errs.Bytes()))
	}
	if err := json.Unmarshal(out.Bytes(), &s); err != nil {
		return s, fmt.Errorf("ask the daemon of %s: %w", y.host.name, err)
	}
	return s, nil
}
