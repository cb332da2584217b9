package lacpkernel

import (
	"fmt"
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/test/rig"
)

// patience bounds all waiting; the machine may have other work.
const patience = 45 * time.Second

// pause is the time between two looks: a status of plane team reads hundreds of options.
const pause = 100 * time.Millisecond

// waitFor waits until the status is as cond says.
func waitFor(r *rig.Rig, cond func(agg.Status) bool, what string) agg.Status {
	r.T.Helper()
	var s agg.Status
	wait(r, func() (err error) {
		if s, err = r.Ask(); err == nil && !cond(s) {
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
