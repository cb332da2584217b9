package rig

import (
	"encoding/json"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/nstest"
)

// Status is that of bond0.
func (r *Rig) Status() agg.Status {
	r.T.Helper()
	out := r.Must("status", "bond0", "-o", "json")
	var list struct {
		Aggregates []agg.Status `json:"aggregates"`
	}
	if err := json.Unmarshal([]byte(out), &list); err != nil || len(list.Aggregates) != 1 {
		r.T.Fatalf("status of bond0: %v\n%s", err, out)
	}
	return list.Aggregates[0]
}

// patience is how long what a test waits for may take on a machine with other work. It proves
// nothing: what must be quick is measured where it matters.
const patience = 30 * time.Second

// WaitFor waits until the status of bond0 is as cond says.
func (r *Rig) WaitFor(cond func(agg.Status) bool, what string) agg.Status {
	r.T.Helper()
	var s agg.Status
	nstest.Eventually(r.T, patience, func() bool {
		s = r.Look()
		return cond(s)
	}, "%s; log of yoked:\n%s", what, r.Log)
	return s
}

// pause is the time before each look in an emulated machine: who looks all the time slows down
// what is waited for.
const pause = 20 * time.Millisecond

// Look is Status for one who looks until something is so: in an emulated machine by Ask, where
// that is answered.
func (r *Rig) Look() agg.Status {
	r.T.Helper()
	if nstest.Emulated() {
		time.Sleep(pause)
		if s, err := r.Ask(); err == nil {
			return s
		}
	}
	return r.Status()
}

// WaitActive waits until frames leave by the port and the plan is in force.
func (r *Rig) WaitActive(port string) {
	r.T.Helper()
	r.WaitFor(func(s agg.Status) bool { return s.Active == port && s.Plan.InForce }, port+" to be the active port")
}

// WaitCarrying waits until so many ports carry and the plan is in force.
func (r *Rig) WaitCarrying(n int) {
	r.T.Helper()
	r.WaitFor(func(s agg.Status) bool { return s.Carrying == n && s.Plan.InForce }, strconv.Itoa(n)+" ports to carry")
}

// Lossless fails the test where a stream lost, doubled or turned round a frame.
func Lossless(t *testing.T, what string, r nstest.Result) {
	t.Helper()
	t.Logf("%s: %d sent, %d lost, longest gap %v", what, r.Sent, r.Lost, r.LongestGap)
	if r.Lost != 0 || r.Duplicated != 0 || r.Reordered != 0 {
		t.Errorf("%s: got %+v; softnet: %s", what, r, Softnet())
	}
}

// Softnet is how many frames each CPU dropped for a full backlog, to tell a busy machine
// from a lossy plane.
func Softnet() string {
	b, err := os.ReadFile("/proc/net/softnet_stat")
	if err != nil {
		return err.Error()
	}
	var drops []string
	for line := range strings.Lines(string(b)) {
		if words := strings.Fields(line); len(words) > 1 {
			drops = append(drops, words[1])
		}
	}
	return "dropped " + strings.Join(drops, " ")
}
