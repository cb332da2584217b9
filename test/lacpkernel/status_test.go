package lacpkernel

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/test/rig"
)

// relays names the sockets, the daemon's last, of a copy of this program that is a relay.
const relays = "YOKE_TEST_RELAY"

// relay passes connections on to the daemon, which serves its own network namespace only:
// it runs there.
func relay(from, to string) error {
	l, err := net.Listen("unix", from)
	if err != nil {
		return err
	}
	for {
		in, err := l.Accept()
		if err != nil {
			return err
		}
		go func() {
			defer in.Close()
			out, err := net.Dial("unix", to)
			if err != nil {
				return
			}
			defer out.Close()
			go func() { _, _ = io.Copy(out, in) }()
			_, _ = io.Copy(in, out)
		}()
	}
}

func relayed(r *rig.Rig) string { return r.Socket() + ".relay" }

// startRelay lets this process ask the daemon: a program for each question would keep an
// emulated machine busy.
func startRelay(r *rig.Rig) {
	r.T.Helper()
	self, err := os.Executable()
	if err != nil {
		r.T.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), relays+"="+relayed(r)+" "+r.Socket())
	r.Here.Start(cmd)
}

// status asks the daemon.
func status(r *rig.Rig) (agg.Status, error) {
	c := http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", relayed(r))
	}}}
	answer, err := c.Get("http://yoke/v1/aggregates/bond0")
	if err != nil {
		return agg.Status{}, err
	}
	defer answer.Body.Close()
	var list struct {
		Aggregates []agg.Status `json:"aggregates"`
	}
	if err := json.NewDecoder(answer.Body).Decode(&list); err != nil {
		return agg.Status{}, err
	}
	if len(list.Aggregates) != 1 {
		return agg.Status{}, fmt.Errorf("%s, with %d aggregates", answer.Status, len(list.Aggregates))
	}
	return list.Aggregates[0], nil
}

// patience bounds all waiting; the machine may have other work.
const patience = 45 * time.Second

// pause is the time between two looks: a status of plane team reads hundreds of options.
const pause = 100 * time.Millisecond

// waitFor waits until the status is as cond says.
func waitFor(r *rig.Rig, cond func(agg.Status) bool, what string) agg.Status {
	r.T.Helper()
	var s agg.Status
	wait(r, func() (err error) {
		if s, err = status(r); err == nil && !cond(s) {
			err = fmt.Errorf("status is: %s", s.Summary)
		}
		return err
	}, what)
	return s
}

// wait tries until there is no error.
func wait(r *rig.Rig, try func() error, what string) {
	r.T.Helper()
	var err error
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(pause) {
		if err = try(); err == nil {
			return
		}
	}
	r.T.Fatalf("waited %v for %s: %v\nlog of yoked:\n%s", patience, what, err, r.Log)
}
