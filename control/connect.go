package control

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"syscall"

	"github.com/yokelag/yoke/agg"
)

// ErrGoesOn is of a change that was asked for and whose answer nobody waited for: it is not
// undone.
var ErrGoesOn = errors.New("the daemon goes on with what it was asked for, and `yoke status` tells")

// connectProblem says why the daemon could not be reached and what would help.
func (c *Client) connectProblem(ctx context.Context, method string, err error) error {
	switch {
	case ctx.Err() != nil && method != http.MethodGet:
		return errors.Join(ErrGoesOn, ctx.Err())
	case ctx.Err() != nil: // not its cause, which may be a signal
		return ctx.Err()
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		return &agg.Problem{Code: CodeNoDaemon, Object: c.socket, Rule: "no yoked answers here", Remedy: c.startCommand()}
	case errors.Is(err, fs.ErrPermission):
		return &agg.Problem{Code: CodeNotPermitted, Object: c.socket,
			Rule:   "needs group yoke or root; `yoke demo` works without",
			Remedy: "run `sudo yoke ...`, or `sudo usermod -aG yoke $USER` and log in again"}
	default:
		return &agg.Problem{Code: CodeNoDaemon, Object: c.socket, Rule: err.Error(), Remedy: c.startCommand()}
	}
}

func (c *Client) startCommand() string {
	if c.socket == DefaultSocket {
		return "start it with `sudo systemctl start yoked`, or `sudo yoked` where there is no systemd"
	}
	dir := os.Getenv(StateDirVariable)
	if dir == "" {
		dir = filepath.Dir(c.socket)
	}
	return "start it with `sudo yoked --socket " + c.socket + " --state-dir " + dir + "` in the network namespace it is for"
}
