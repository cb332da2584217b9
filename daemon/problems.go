package daemon

import (
	"fmt"
	"strings"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/control"
)

func notFound(name string, names []string) *agg.Problem {
	p := &agg.Problem{Code: control.CodeNotFound, Object: name, Rule: "there is no such aggregate", Remedy: "make it with `yoke up " + name + " PORT PORT`"}
	if len(names) > 0 {
		p.Remedy = "what is there: " + strings.Join(names, ", ") + "; " + p.Remedy
	}
	if len(names) == 1 {
		p.Fixes = []agg.Fix{{Word: name, To: names[0]}}
	}
	return p
}

func noSuchPort(name, port string, spec agg.Spec) *agg.Problem {
	names := make([]string, len(spec.Ports))
	for i, p := range spec.Ports {
		names[i] = p.Name
	}
	remedy := "make it one with `yoke add " + name + " " + port + "`"
	if len(names) > 0 {
		remedy = "its ports are " + strings.Join(names, ", ") + "; " + remedy
	}
	return &agg.Problem{Code: control.CodeNotFound, Object: port, Rule: "is not a port of " + name, Remedy: remedy}
}

// duplicate refuses a second aggregate of the name of before.
func duplicate(before, asked agg.Spec) *agg.Problem {
	name := before.Name
	remedy := fmt.Sprintf("take it apart first with `yoke down %s`", name)
	var options, fresh []string
	for _, word := range asked.Args() {
		port, _, _ := strings.Cut(word, ",")
		switch {
		case strings.Contains(port, ":"): // a match, which files change
		case strings.Contains(port, "="):
			options = append(options, word)
		case before.Port(port) == agg.NoPort:
			fresh = append(fresh, word)
		}
	}
	if len(options) > 0 {
		remedy = fmt.Sprintf("change it with `yoke set %s %s`, or %s", name, strings.Join(options, " "), remedy)
	}
	if len(fresh) > 0 {
		remedy = fmt.Sprintf("give it more ports with `yoke add %s %s`, or %s", name, strings.Join(fresh, " "), remedy)
	}
	return &agg.Problem{Code: "duplicate-name", Object: name, Rule: "there is an aggregate of this name already", Remedy: remedy}
}

func portTaken(port, owner, name string) *agg.Problem {
	return &agg.Problem{Code: "port-busy", Object: port, Rule: "is a port of " + owner + " already",
		Remedy: fmt.Sprintf("free it for %s with `yoke remove %s %s`", name, owner, port)}
}

func reservedName(name string) *agg.Problem {
	return &agg.Problem{Code: "invalid-name", Object: name, Rule: "names that end in " + strings.Join(reservedSuffixes(), ", ") + " belong to files of journals",
		Remedy: "choose another, as bond0", Fixes: []agg.Fix{{Word: name, To: "bond0"}}}
}
