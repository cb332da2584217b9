package daemon

import (
	"fmt"
	"strings"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/control"
)

func notFound(name string, names []string) *agg.Problem {
	remedy := "make it with `yoke up " + name + " PORT PORT`"
	if len(names) > 0 {
		remedy += "; what is there: " + strings.Join(names, ", ")
	}
	return &agg.Problem{Code: control.CodeNotFound, Object: name, Rule: "there is no such aggregate", Remedy: remedy}
}

func noSuchPort(name, port string, spec agg.Spec) *agg.Problem {
	names := make([]string, len(spec.Ports))
	for i, p := range spec.Ports {
		names[i] = p.Name
	}
	remedy := "`yoke add " + name + " " + port + "` makes it one"
	if len(names) > 0 {
		remedy += "; its ports are " + strings.Join(names, ", ")
	}
	return &agg.Problem{Code: control.CodeNotFound, Object: port, Rule: "is not a port of " + name, Remedy: remedy}
}

func duplicate(name string) *agg.Problem {
	return &agg.Problem{Code: "duplicate-name", Object: name, Rule: "there is an aggregate of this name already",
		Remedy: fmt.Sprintf("change it with `yoke set %s` or `yoke add %s`, or take it apart first with `yoke down %s`", name, name, name)}
}

func portTaken(port, owner, name string) *agg.Problem {
	return &agg.Problem{Code: "port-busy", Object: port, Rule: "is a port of " + owner + " already",
		Remedy: fmt.Sprintf("`yoke remove %s %s` frees it for %s", owner, port, name)}
}

func reservedName(name string) *agg.Problem {
	return &agg.Problem{Code: "invalid-name", Object: name, Rule: "names that end in .ports or .tc belong to files of journals",
		Remedy: "choose another, as `yoke up bond0 ...`"}
}
