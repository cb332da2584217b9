package agg

import (
	"slices"
	"testing"
)

func TestNear(t *testing.T) {
	for _, c := range []struct {
		word        string
		words, want []string
	}{
		{"eht1", []string{"eth1", "eth10", "wlan0", "eth2"}, []string{"eth1"}},
		{"mde", []string{"model", "mode", "name"}, []string{"mode", "model"}},
		{"p9", []string{"p1", "eth0", "p2"}, []string{"p1", "p2"}},
		{"x", []string{"on", "y"}, nil},
		{"eth1", nil, nil},
	} {
		if got := Near(c.word, c.words); !slices.Equal(got, c.want) {
			t.Errorf("%s of %v: got %v, want %v", c.word, c.words, got, c.want)
		}
	}
}
