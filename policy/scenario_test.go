package policy

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/yokelag/yoke/agg"
)

var update = flag.Bool("update", false, "rewrite testdata/scenarios from what the policy does")

// TestScenarios plays the stories of testdata/scenarios: one command a line, and after
// it what the plan became, marked by "> ".
//
//	set KEY=VALUE...     options of the aggregate (an empty value unsets)
//	port NAME KEY=VALUE  options of a port, which is added if new; a new one runs at
//	                     1000 Mb/s, with speed=MBPS at another speed, 0 being unknown
//	remove NAME          takes a port out of the configuration
//	up|down|falling|absent NAME...
//	rising NAME SINCE    works since that many milliseconds, updelay runs
//	speed NAME MBPS
//	move BUCKET NAME     moves a bucket
func TestScenarios(t *testing.T) {
	files, err := filepath.Glob("testdata/scenarios/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scenarios: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			story, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := play(t, string(story))
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if got != string(story) {
				t.Errorf("the story is now:\n%s", got)
			}
		})
	}
}

func play(t *testing.T, story string) string {
	t.Helper()
	w := world{spec: agg.Spec{Name: "bond0"}, links: map[string]*PortInput{}, moves: Overlay{}}
	var out strings.Builder
	for line := range strings.Lines(story) {
		line = strings.TrimRight(line, "\n")
		if strings.HasPrefix(line, "> ") {
			continue
		}
		fmt.Fprintln(&out, line)
		if words := strings.Fields(line); len(words) > 0 && !strings.HasPrefix(line, "#") {
			w.do(t, words)
			for _, l := range w.show() {
				fmt.Fprintln(&out, "> "+l)
			}
		}
	}
	return out.String()
}

// world is what a story changes.
type world struct {
	spec  agg.Spec
	links map[string]*PortInput
	moves Overlay
	state State
}

func (w *world) do(t *testing.T, words []string) {
	t.Helper()
	var err error
	switch words[0] {
	case "set":
		for _, word := range words[1:] {
			key, value, _ := strings.Cut(word, "=")
			if err = w.spec.Options.Set(agg.OfAggregate, key, value); err != nil {
				break
			}
		}
	case "port":
		err = w.port(words[1], words[2:])
	case "remove":
		i := w.spec.Port(words[1])
		w.spec.Ports = append(w.spec.Ports[:i], w.spec.Ports[i+1:]...)
	case "rising":
		since, _ := strconv.Atoi(words[2])
		w.links[words[1]].Watch = Verdict{State: Rising, Since: agg.Instant(time.Duration(since) * time.Millisecond)}
	case "speed":
		err = w.speed(words[1], words[2])
	case "move":
		bucket, _ := strconv.Atoi(words[1])
		w.moves[bucket] = words[2]
	default:
		err = w.turn(words[0], words[1:])
	}
	if err != nil {
		t.Fatalf("%v: %v", words, err)
	}
}

// port gives a port its options, and a speed before the first plan that has it.
func (w *world) port(name string, words []string) error {
	w.add(name)
	for _, word := range words {
		key, value, _ := strings.Cut(word, "=")
		var err error
		if key == "speed" {
			err = w.speed(name, value)
		} else {
			err = w.spec.Ports[w.spec.Port(name)].Options.Set(agg.OfPort, key, value)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (w *world) speed(name, mbps string) error {
	speed, err := strconv.ParseUint(mbps, 10, 32)
	w.links[name].Link.Speed = uint32(speed)
	return err
}

func (w *world) add(name string) {
	if w.spec.Port(name) >= 0 {
		return
	}
	w.spec.Ports = append(w.spec.Ports, agg.PortSpec{Name: name})
	w.links[name] = &PortInput{
		Link:  agg.LinkFacts{Name: name, Index: len(w.links) + 2, Present: true, AdminUp: true, Carrier: true, Speed: 1000, FullDuplex: true},
		Watch: Verdict{State: Up},
	}
}

func (w *world) turn(how string, names []string) error {
	for _, name := range names {
		p := w.links[name]
		p.Link.Present = how != "absent"
		switch how {
		case "up":
			p.Watch = Verdict{State: Up}
		case "down":
			p.Watch = Verdict{State: Down, Reason: "no-carrier", Detail: "the link is down"}
		case "falling":
			p.Watch = Verdict{State: Falling, Reason: "downdelay"}
		case "absent":
			p.Watch = Verdict{State: Down}
		default:
			return fmt.Errorf("no such command")
		}
	}
	return nil
}

// show computes the plan and tells it in lines.
func (w *world) show() []string {
	in := Input{Previous: w.state, Moves: w.moves}
	for _, p := range w.spec.Ports {
		in.Ports = append(in.Ports, *w.links[p.Name])
	}
	plan, next, reasons := Plan(w.spec.Config(), in)
	w.state = next
	lines := []string{head(plan)}
	for _, r := range reasons {
		if r.Port == "" {
			lines = append(lines, "finding "+r.Code+": "+r.Text)
			continue
		}
		lines = append(lines, fmt.Sprintf("%s %s: %s", r.Port, r.Code, r.Text))
	}
	return lines
}

func head(plan agg.Plan) string {
	if plan.Blocked {
		return "blocked, no carrier"
	}
	if plan.Select == agg.SelectFixed {
		line := fmt.Sprintf("%s active, second %q", portName(plan, plan.Table[0].First), portName(plan, plan.Table[0].Second))
		for _, p := range plan.Ports {
			if p.Receive && !p.Transmit {
				line += ", " + p.Name + " receives too"
			}
		}
		return line
	}
	order := make([]string, 0, len(plan.Ports))
	for _, p := range plan.Ports {
		if p.Transmit {
			order = append(order, p.Name)
		}
	}
	return fmt.Sprintf("%s over %s", plan.Select, strings.Join(order, " "))
}
