package layers

import (
	"fmt"
	"strings"
	"testing"

	"github.com/yokelag/yoke/internal/book"
)

//go:generate env YOKE_WRITE_BOOKS=1 go test -count=1 -run ^TestTableInTheBook$ .

// planes and modes are those that the tests go through. balance-tlb and balance-alb need
// another far end than this one.
func planes() []plane {
	return []plane{
		{"ebpf", []string{"bpf"}, nil},
		{"ebpf, fast_path", []string{"bpf"}, []string{"fast_path=on"}},
		{"user", nil, nil},
	}
}

// plane is one of them, as it is chosen.
type plane struct {
	name string
	// needs are features, as nstest.Require takes them.
	needs []string
	// words are options beside the plane's own.
	words []string
}

// options choose the plane.
func (p plane) options() []string {
	name, _, _ := strings.Cut(p.name, ",")
	return append([]string{"plane=" + name}, p.words...)
}

func modes() []string {
	return []string{"balance-rr", "active-backup", "balance-xor", "broadcast", "random", "802.3ad"}
}

// truth says what does not work, by plane, mode and layer; "" as a mode is any. What is
// not here works, and the tests prove both.
func truth() map[[3]string]string {
	return map[[3]string]string{}
}

// lack is why a combination does not work, empty where it does.
func lack(on plane, mode string, l layer) string {
	if why := truth()[[3]string{on.name, "", l.name}]; why != "" {
		return why
	}
	return truth()[[3]string{on.name, mode, l.name}]
}

// The table in docs/planes.md is the one that the tests prove.
func TestTableInTheBook(t *testing.T) {
	const path, begin, end = "../../docs/planes.md", "<!-- layers, by make generate -->\n", "<!-- end of layers -->\n"
	book.Section(t, path, begin, end, provenTable())
}

func provenTable() string {
	var b, notes strings.Builder
	b.WriteString("| plane | mode |")
	for _, l := range layers() {
		b.WriteString(" " + l.title + " |")
	}
	b.WriteString("\n|" + strings.Repeat(" --- |", 2+len(layers())) + "\n")
	count := 0
	for _, on := range planes() {
		for _, mode := range modes() {
			fmt.Fprintf(&b, "| %s | %s |", on.name, mode)
			for _, l := range layers() {
				cell := "yes"
				if why := lack(on, mode, l); why != "" {
					count++
					cell = fmt.Sprintf("no (%d)", count)
					fmt.Fprintf(&notes, "%d. %s.\n", count, why)
				}
				b.WriteString(" " + cell + " |")
			}
			b.WriteString("\n")
		}
	}
	if count > 0 {
		b.WriteString("\n" + notes.String())
	}
	return b.String()
}
