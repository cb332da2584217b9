package lacpkernel

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/nstest"
	"github.com/yokelag/yoke/test/rig"
)

// partnersOwn is what the bonding driver's timers allow until a port carries again whose
// link has come back: up to 3 s in which it still waits for the partner that it had, one
// second between two LACPDUs, 2 s of waiting for further ports of the aggregator, and
// steps of 100 ms.
const partnersOwn = 6200 * time.Millisecond

// The storm of the founding fault, in its own mode: ports bounce as drivers make them when
// their rings or channels change. When it is quiet both ends use all ports, as soon as the
// partner's timers allow.
//
//	STORM_SEEDS=20 STORM_BOUNCES=1000 STORM_STRICT=1 VM_SECONDS=7200 test/vm/test ./test/lacpkernel -run TestStorm -timeout 2h
//
// STORM_SEED=n begins with that seed. Without STORM_STRICT a later recovery is told and is
// no failure, since a machine with other work may not give the time.
func TestStorm(t *testing.T) {
	first, seeds, bounces := number(t, "STORM_SEED", 0), number(t, "STORM_SEEDS", 2), number(t, "STORM_BOUNCES", 8)
	for plane, which := range map[string]int{"ebpf": 0, "team": 1} {
		t.Run(plane, func(t *testing.T) {
			t.Parallel()
			r, p := joined(t, fast(plane), "bonding")
			var all []time.Duration
			for seed := first; seed < first+seeds; seed++ {
				if seed%2 == which {
					all = append(all, storm(r, p, seed, bounces))
				}
			}
			if len(all) > 0 {
				t.Logf("plane %s, %d storms of %d bounces: both ends use all ports %v after the last bounce at the latest; the partner's timers allow %v",
					plane, len(all), bounces, slices.Max(all), partnersOwn)
			}
		})
	}
}

func number(t *testing.T, variable string, otherwise int) int {
	t.Helper()
	text := os.Getenv(variable)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("%s: %v", variable, err)
	}
	return n
}

// storm bounces ports and returns how long after that all were in use.
func storm(r *rig.Rig, p partner, seed, bounces int) time.Duration {
	r.T.Helper()
	random := rand.New(rand.NewPCG(uint64(seed), 1))
	busy := map[string]*sync.Mutex{}
	for _, port := range cables() {
		busy[port] = &sync.Mutex{}
	}
	var behind sync.WaitGroup
	for range bounces {
		port := cables()[random.IntN(len(cables()))]
		what, pause := random.IntN(4), time.Millisecond+time.Duration(random.Int64N(int64(249*time.Millisecond)))
		do := func() {
			busy[port].Lock()
			defer busy[port].Unlock()
			bounce(r, port, what, pause)
		}
		if random.IntN(4) == 0 { // several at once
			behind.Go(do)
			continue
		}
		do()
	}
	behind.Wait()
	quiet := time.Now()
	waitFor(r, func(s agg.Status) bool { return s.Carrying == 2 && s.Plan.InForce }, fmt.Sprintf("all ports to carry after storm %d", seed))
	waitUsed(r, p, 2)
	d := took(r, quiet, fmt.Sprintf("seed %d: all ports are used", seed))
	if d > partnersOwn && os.Getenv("STORM_STRICT") != "" {
		r.T.Errorf("seed %d: %v after the last bounce", seed, d)
	}
	waitAgreed(r, p)
	r.Here.MustPing(rig.ThereAddr)
	return d
}

// bounce makes one thing happen to a port, from first to last.
func bounce(r *rig.Rig, port string, what int, pause time.Duration) {
	switch what {
	case 0: // the cable
		set(r, r.There, port, false)
		time.Sleep(pause)
		set(r, r.There, port, true)
	case 1: // the port
		set(r, r.Here, port, false)
		time.Sleep(pause)
		set(r, r.Here, port, true)
	case 2: // ethtool -L
		set(r, r.Here, port, false)
		if out, err := r.Here.Output("ethtool", "-L", port, "rx", "1", "tx", "1"); err != nil {
			r.T.Errorf("ethtool -L: %v\n%s", err, out)
		}
		set(r, r.Here, port, true)
		time.Sleep(pause)
	default: // the cable twice in a row
		for range 2 {
			set(r, r.There, port, false)
			time.Sleep(pause / 2)
			set(r, r.There, port, true)
			time.Sleep(pause / 2)
		}
	}
}

// set is for goroutines that are not the test's own.
func set(r *rig.Rig, n *nstest.NS, port string, up bool) {
	l, err := n.Handle().LinkByName(port)
	if err == nil && up {
		err = n.Handle().LinkSetUp(l)
	} else if err == nil {
		err = n.Handle().LinkSetDown(l)
	}
	if err != nil {
		r.T.Errorf("set %s up %v: %v", port, up, err)
	}
}
