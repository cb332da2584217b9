package rig

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"time"

	"github.com/yokelag/yoke/agg"
)

// relays names the sockets, the daemon's last, of a copy of the test's program that is a relay.
const relays = "YOKE_TEST_RELAY"

// relay passes connections on to the daemon, which serves its own network namespace only:
// it runs there.
func relay(from, to string) error {
	l, err := net.Listen("unix", from)
	for errors.Is(err, fs.ErrNotExist) { // the directory is the daemon's to make
		time.Sleep(pause)
		l, err = net.Listen("unix", from)
	}
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

func (r *Rig) relayed() string { return r.Socket() + ".relay" }

// startRelay starts the copy that stays until the test ends.
func (r *Rig) startRelay() {
	r.T.Helper()
	self, err := os.Executable()
	if err != nil {
		r.T.Fatal(err)
	}
	r.relay = exec.Command(self)
	r.relay.Env = append(os.Environ(), relays+"="+r.relayed()+" "+r.Socket())
	r.Here.Start(r.relay)
}

// ask gets the answer about bond0 of a daemon, whatever it is.
func (r *Rig) ask() (*http.Response, error) {
	r.T.Helper()
	if r.relay == nil {
		r.startRelay()
	}
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", r.relayed())
	}
	c := http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: dial}}
	return c.Get("http://yoke/v1/aggregates/bond0")
}

// Ask is the status of bond0 without a program that is started for it: in an emulated machine
// that costs as much as many questions, and slows down what is waited for. Where the daemon
// does not answer, or the relay not yet, it fails.
func (r *Rig) Ask() (agg.Status, error) {
	r.T.Helper()
	answer, err := r.ask()
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
