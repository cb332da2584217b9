package daemon

import (
	"fmt"
	"strings"
	"testing"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/book"
	"github.com/yokelag/yoke/plane/bonding"
	"github.com/yokelag/yoke/plane/ebpf"
	"github.com/yokelag/yoke/plane/mem"
	"github.com/yokelag/yoke/plane/team"
	"github.com/yokelag/yoke/plane/user"
)

//go:generate env YOKE_WRITE_BOOKS=1 go test -count=1 -run ^TestPlanesInTheBook$ .

// The table in docs/planes.md is what the planes say of themselves.
func TestPlanesInTheBook(t *testing.T) {
	const path, begin, end = "../docs/planes.md", "<!-- capabilities, by make generate -->\n", "<!-- end -->\n"
	book.Section(t, path, begin, end, capabilityTable(team.Capability(), bonding.Capability(), ebpf.Capability(), user.Capability(), mem.Capability()))
}

func capabilityTable(planes ...agg.Capability) string {
	var b strings.Builder
	row := func(title string, cell func(agg.Capability) string) {
		b.WriteString("| " + title + " |")
		for _, c := range planes {
			b.WriteString(" " + cell(c) + " |")
		}
		b.WriteString("\n")
	}
	row("", func(c agg.Capability) string { return "`" + c.Plane + "`" })
	row("---", func(agg.Capability) string { return "---" })
	row("chooses ports by", func(c agg.Capability) string { return words(c.Selectors) })
	row("computes the hashes", func(c agg.Capability) string { return words(c.Hashes) })
	for _, q := range []struct {
		title string
		has   func(agg.Capability) bool
	}{
		{"forwards while no daemon runs", func(c agg.Capability) bool { return c.OutlivesDaemon }},
		{"guard: a lost carrier moves frames to the second choice by itself", func(c agg.Capability) bool { return c.Guard }},
		{"the device's own counters are exact", func(c agg.Capability) bool { return c.ExactCounters }},
		{"`fast_path`", func(c agg.Capability) bool { return c.FastPath }},
		{"bytes and last use of each bucket", func(c agg.Capability) bool { return c.BucketCounters }},
		{"drops and counts what a port's own stack sends", func(c agg.Capability) bool { return c.DropsOwn }},
		{"works without privileges, in a user namespace", func(c agg.Capability) bool { return c.Unprivileged }},
	} {
		row(q.title, func(c agg.Capability) string { return map[bool]string{true: "yes", false: "no"}[q.has(c)] })
	}
	for _, c := range planes {
		for i, lack := range c.Lacks {
			if i == 0 {
				fmt.Fprintf(&b, "\nPlane `%s` lacks:\n\n", c.Plane)
			}
			fmt.Fprintf(&b, "* %s.\n", lack)
		}
	}
	return b.String()
}

func words[T fmt.Stringer](list []T) string {
	all := make([]string, len(list))
	for i, v := range list {
		all[i] = "`" + strings.TrimSuffix(v.String(), "=") + "`" // lists of fields have no fixed end
	}
	return strings.Join(all, ", ")
}
