package control

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/yokelag/yoke/agg"
)

// Whatever is in a tree of errors is told: every problem of it, and what is none as an
// internal one with the words of those who wrapped it.
func TestProblemsOfATree(t *testing.T) {
	first, second := &agg.Problem{Code: "a", Rule: "first"}, &agg.Problem{Code: "b", Rule: "second"}
	busy := errors.New("EBUSY")
	back := fmt.Errorf("take the changes back: %w", busy)
	for name, c := range map[string]struct {
		err  error
		want []string
	}{
		"a problem":               {first, []string{"a: first"}},
		"several":                 {agg.Problems{first, second}, []string{"a: first", "b: second"}},
		"wrapped":                 {fmt.Errorf("bond0: %w", first), []string{"a: first"}},
		"none":                    {back, []string{"internal: take the changes back: EBUSY"}},
		"two that are none":       {errors.Join(back, busy), []string{"internal: take the changes back: EBUSY\nEBUSY"}},
		"a problem and another":   {errors.Join(first, fmt.Errorf("bond0: %w", second)), []string{"a: first", "b: second"}},
		"a problem and a failure": {errors.Join(first, back), []string{"a: first", "internal: take the changes back: EBUSY"}},
		"a failure and a problem": {errors.Join(back, first), []string{"internal: take the changes back: EBUSY", "a: first"}},
		"a failure in a wrapped one": {fmt.Errorf("apply: %w", errors.Join(first, back, agg.Problems{second})),
			[]string{"a: first", "internal: apply: take the changes back: EBUSY", "b: second"}},
	} {
		var got []string
		for _, p := range ProblemsOf(c.err) {
			got = append(got, p.Code+": "+p.Rule)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
	if !HasCode(errors.Join(busy, first), "a") || !HasCode(errors.Join(first, busy), CodeInternal) || HasCode(first, CodeInternal) {
		t.Error("a code is not found in a tree, or one that is not there")
	}
}
