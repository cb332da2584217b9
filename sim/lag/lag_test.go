package lag

import (
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// fixed is the number of seeds that every run of the tests plays.
const fixed = 150

// TestSeeds plays the seeds from 0 on: SIM_SEEDS of them, or one that SIM_SEED names, told
// step by step.
func TestSeeds(t *testing.T) {
	if text := os.Getenv("SIM_SEED"); text != "" {
		var story strings.Builder
		_, err := Play(uint64(number(t, "SIM_SEED", text)), &story)
		t.Log(story.String())
		if err != nil {
			t.Fatal(err)
		}
		return
	}
	n := fixed
	if text := os.Getenv("SIM_SEEDS"); text != "" {
		n = max(n, number(t, "SIM_SEEDS", text))
	}
	cover, seed, err := playAll(uint64(n))
	if err != nil {
		t.Fatalf("seed %d: %v\nreplay: SIM_SEED=%d go test ./sim/lag -run TestSeeds -v", seed, err, seed)
	}
	t.Log(cover)
}

// playAll plays seeds on all processors until one fails, and returns the lowest that did.
func playAll(n uint64) (sum Coverage, failed uint64, failure error) {
	var next atomic.Uint64
	var mu sync.Mutex
	var wait sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wait.Go(func() {
			for seed := next.Add(1) - 1; seed < n; seed = next.Add(1) - 1 {
				c, err := Play(seed, nil)
				mu.Lock()
				sum.Add(c)
				if err != nil && (failure == nil || seed < failed) {
					failed, failure = seed, err
				}
				stop := failure != nil
				mu.Unlock()
				if stop {
					return
				}
			}
		})
	}
	wait.Wait()
	return sum, failed, failure
}

func number(t *testing.T, name, text string) int {
	t.Helper()
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		t.Fatalf("%s=%q is not a number", name, text)
	}
	return n
}

// A seed is one run.
func TestSeedsRepeat(t *testing.T) {
	var a, b strings.Builder
	_, _ = Play(7, &a)
	_, _ = Play(7, &b)
	if a.String() != b.String() || a.Len() == 0 {
		t.Error("one seed gave two runs")
	}
}
