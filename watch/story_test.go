package watch

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/yokelag/yoke/agg"
)

var update = flag.Bool("update", false, "write the transcripts in testdata anew")

// TestStories plays testdata/*.txt: lines of commands, and below each, indented, what
// the watch said.
//
//	watch carrier updelay=200ms downdelay=1s   a new watch; also: none, all, any
//	set carrier=off admin=on present=on index=7 promoted=on
//	at 250ms                                   time since the beginning; steps
//	restart                                    a new watch with the state of the old one
func TestStories(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no stories: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := tell(t, string(want))
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			} else if got != string(want) {
				t.Errorf("got:\n%s", got)
			}
		})
	}
}

type teller struct {
	make func() Watch
	w    Watch
	link agg.LinkFacts
	now  agg.Instant
	// promoted is Input.Promoted.
	promoted bool
}

const beginning = agg.Instant(time.Hour)

func tell(t *testing.T, story string) string {
	p := &teller{link: agg.LinkFacts{Name: "eth1", Index: 7, Present: true, AdminUp: true, Carrier: true}, now: beginning}
	var out strings.Builder
	for line := range strings.Lines(story) {
		if strings.HasPrefix(line, "  ") {
			continue
		}
		out.WriteString(line)
		words := strings.Fields(line)
		if len(words) == 0 || strings.HasPrefix(line, "#") {
			continue
		}
		if answer := p.do(t, words); answer != "" {
			out.WriteString("  " + answer + "\n")
		}
	}
	return out.String()
}

func (p *teller) do(t *testing.T, words []string) string {
	args := map[string]string{}
	for _, w := range words[1:] {
		key, value, _ := strings.Cut(w, "=")
		args[key] = value
	}
	switch words[0] {
	case "watch":
		p.make = maker(t, words[1], args)
		p.w = p.make()
		return ""
	case "restart":
		s := p.w.State()
		p.w = p.make()
		p.w.Restore(s)
		return ""
	case "set":
		p.set(args)
		return ""
	case "at":
		p.now = beginning.Add(duration(t, words[1]))
		return p.step()
	}
	t.Fatalf("no such command: %v", words)
	return ""
}

func (p *teller) set(args map[string]string) {
	for key, value := range args {
		on := value == "on"
		switch key {
		case "carrier":
			p.link.Carrier = on
		case "admin":
			p.link.AdminUp = on
		case "present":
			p.link.Present = on
		case "promoted":
			p.promoted = on
		case "index":
			fmt.Sscan(value, &p.link.Index)
		}
	}
}

func (p *teller) step() string {
	v := p.w.Step(Input{Now: p.now, Link: p.link, Promoted: p.promoted})
	text := fmt.Sprintf("%s since %v: %s (%s)", v.Phase, v.Since.Sub(beginning), v.Reason, v.Detail)
	if d := p.w.Deadline(); d != agg.Never {
		text += fmt.Sprintf(", next at %v", d.Sub(beginning))
	}
	return text
}

// maker returns a function that makes the watch of a command. Of all and any, the parts
// have the delays up1/down1 and up2/down2.
func maker(t *testing.T, kind string, args map[string]string) func() Watch {
	part := func(up, down string) Watch { return NewCarrier(duration(t, args[up]), duration(t, args[down])) }
	switch kind {
	case "carrier":
		return func() Watch { return part("updelay", "downdelay") }
	case "none":
		return func() Watch { return NewNone() }
	case "all":
		return func() Watch { return All(part("up1", "down1"), part("up2", "down2")) }
	case "any":
		return func() Watch { return Any(part("up1", "down1"), part("up2", "down2")) }
	}
	t.Fatalf("no such watch: %s", kind)
	return nil
}

func duration(t *testing.T, text string) time.Duration {
	if text == "" {
		return 0
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}
