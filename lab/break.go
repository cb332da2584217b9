package lab

import (
	"slices"
	"strings"
	"time"

	"github.com/yokelag/yoke/agg"
)

// Breaking is the lab with one thing that breaks instead of its own faults: a cable is pulled
// after a third of the time and put back after another. What the lab expects is of its own
// faults, so nothing is expected. The cable is named, or one of its ends at a host is. The
// error is an [agg.Problem] that names those there are.
func (f *File) Breaking(what string) (*File, error) {
	cable := f.cableOf(what)
	if cable == "" {
		return nil, &agg.Problem{Code: "no-cable", Object: f.Name, Option: "break", Value: what, Rule: "there is no such cable in the lab",
			Remedy: "break one of " + strings.Join(sortedKeys(f.Cables), ", ")}
	}
	out := *f
	third := f.Duration / 3
	out.Faults = []Fault{{At: third, Do: Pull, Cable: cable}, {At: 2 * third, Do: Plug, Cable: cable}}
	out.Expect = nil
	out.Text = f.Text + " Here cable " + cable + " is pulled instead, from " + time.Duration(third).Round(time.Millisecond).String() +
		" to " + (2 * time.Duration(third)).Round(time.Millisecond).String() + "."
	return &out, nil
}

// cableOf is the name of the cable that is meant, empty where none is.
func (f *File) cableOf(what string) string {
	if _, ok := f.Cables[what]; ok {
		return what
	}
	for _, name := range sortedKeys(f.Cables) {
		if strings.Contains(what, ":") && slices.Contains(f.Cables[name].Ends, what) {
			return name
		}
	}
	return ""
}
