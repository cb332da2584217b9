package daemon

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/control"
)

// configVersion is the version of the file format, which a file may state.
const configVersion = "1"

// loadConfig reads what o says: one file, or every *.yaml of a directory. All problems
// of all files are reported at once, beside the specs of the files that have none.
func loadConfig(o Options) ([]agg.Spec, error) {
	if o.File != "" {
		return loadFile(o.File)
	}
	info, err := os.Stat(o.Config)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	if !info.IsDir() {
		return loadFile(o.Config)
	}
	files, err := filepath.Glob(filepath.Join(o.Config, "*.yaml"))
	if err != nil {
		return nil, fmt.Errorf("list configuration: %w", err)
	}
	slices.Sort(files)
	var out []agg.Spec
	var problems agg.Problems
	for _, file := range files {
		specs, err := loadFile(file)
		if err != nil {
			problems = append(problems, control.ProblemsOf(err)...)
		}
		out = append(out, specs...)
	}
	problems = append(problems, twice(out)...)
	return out, problems.Err()
}

// loadFile reads one file: an aggregate with flat option keys, named by `name:` or else
// by the file, or several under `aggregates:`.
func loadFile(path string) ([]agg.Spec, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, &agg.Problem{Code: "no-configuration", Object: path, Rule: err.Error(), Remedy: "give an existing file: `yoked -f bond0.yaml`"}
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxFile))
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	name := strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
	specs, err := parseConfig(path, name, text)
	if err != nil {
		return nil, err
	}
	var problems agg.Problems
	for _, spec := range specs {
		if err := spec.Validate(); err != nil {
			for _, p := range control.ProblemsOf(err) {
				p.Object = path + ": " + p.Object
				problems = append(problems, p)
			}
		}
	}
	if problems != nil {
		return nil, problems
	}
	return specs, nil
}

// twice finds names that several files give, and ports that several aggregates name.
func twice(specs []agg.Spec) agg.Problems {
	var out agg.Problems
	owner := map[string]string{}
	seen := map[string]bool{}
	for _, spec := range specs {
		if seen[spec.Name] {
			out = append(out, &agg.Problem{Code: "duplicate-name", Object: spec.Name, Rule: "is configured in two files", Remedy: "remove one of them"})
		}
		seen[spec.Name] = true
		for _, p := range spec.Ports {
			if was, ok := owner[p.Name]; ok && was != spec.Name {
				out = append(out, &agg.Problem{Code: "port-busy", Object: p.Name, Rule: "is configured as a port of " + was + " and of " + spec.Name, Remedy: "name it in one of them"})
			}
			owner[p.Name] = spec.Name
		}
	}
	return out
}
