package sim

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"testing/synctest"
)

// fixed is the number of seeds that every run of the tests plays, and length the steps
// of each.
const (
	fixed  = 30
	length = 200
)

func TestSeeds(t *testing.T) {
	for _, seed := range seeds(t) {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { play(t, NewScript(seed, length)) })
		})
	}
}

func seeds(t *testing.T) []uint64 {
	t.Helper()
	if text := os.Getenv("SIM_SEED"); text != "" {
		return []uint64{uint64(number(t, "SIM_SEED", text))}
	}
	var out []uint64
	for seed := range uint64(fixed) {
		out = append(out, seed)
	}
	if text := os.Getenv("SIM_SEEDS"); text != "" {
		for range number(t, "SIM_SEEDS", text) {
			out = append(out, uint64(rand.Uint32()))
		}
	}
	return out
}

func number(t *testing.T, name, text string) int {
	t.Helper()
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		t.Fatalf("%s=%q is not a number", name, text)
	}
	return n
}

func TestScriptsRepeat(t *testing.T) {
	if a, b := fmt.Sprint(NewScript(7, length)), fmt.Sprint(NewScript(7, length)); a != b {
		t.Error("one seed gave two scripts")
	}
	if a, b := fmt.Sprint(NewScript(7, length)), fmt.Sprint(NewScript(8, length)); a == b {
		t.Error("two seeds gave one script")
	}
}
