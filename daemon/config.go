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

// source is a text to read a configuration from.
type source struct {
	// path is how problems name it.
	path string
	text []byte
}

// wanted is what files ask for: the specs of those without a fault, in the order of the
// files, and every problem of the others.
type wanted struct {
	specs    []agg.Spec
	from     map[string]string // the file of each aggregate, by name
	problems agg.Problems
}

// spec returns what the files ask for of one aggregate.
func (w wanted) spec(name string) (agg.Spec, bool) {
	i := slices.IndexFunc(w.specs, func(s agg.Spec) bool { return s.Name == name })
	if i < 0 {
		return agg.Spec{}, false
	}
	return w.specs[i], true
}

// configPath is where o says that the configuration is.
func configPath(o Options) string {
	if o.File != "" {
		return o.File
	}
	return o.Config
}

// loadConfig reads what o says: one file, or every *.yaml of a directory. All problems
// of all files are reported at once, beside the specs of the files that have none.
func loadConfig(o Options) ([]agg.Spec, error) {
	w := loadWanted(o)
	return w.specs, w.problems.Err()
}

func loadWanted(o Options) wanted {
	sources, err := readSources(configPath(o), o.File != "")
	w := parseSources(sources)
	if err != nil {
		w.problems = append(w.problems, control.ProblemsOf(err)...)
	}
	return w
}

// readSources reads a file, or the files of a directory. What is not there is empty unless
// it must be there.
func readSources(path string, must bool) ([]source, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) && !must {
		return nil, nil
	}
	if err != nil {
		return nil, &agg.Problem{Code: "no-configuration", Object: path, Rule: err.Error(), Remedy: "give an existing file: `yoked -f bond0.yaml`"}
	}
	files := []string{path}
	if info.IsDir() {
		if files, err = filepath.Glob(filepath.Join(path, "*.yaml")); err != nil {
			return nil, fmt.Errorf("list configuration: %w", err)
		}
		slices.Sort(files)
	}
	var out []source
	var problems agg.Problems
	for _, file := range files {
		text, err := readBounded(file)
		if err != nil {
			problems = append(problems, control.ProblemsOf(err)...)
			continue
		}
		out = append(out, source{file, text})
	}
	return out, problems.Err()
}

// readBounded reads a file that is not larger than a configuration can be.
func readBounded(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, &agg.Problem{Code: "no-configuration", Object: path, Rule: err.Error(), Remedy: "make it readable for yoked, or move it away"}
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	if len(text) > maxFile {
		return nil, tooLarge(path)
	}
	return text, nil
}

func tooLarge(path string) *agg.Problem {
	return &agg.Problem{Code: "bad-yaml", Object: path, Rule: fmt.Sprintf("is larger than %d MiB, which is no configuration", maxFile>>20),
		Remedy: "give it aggregates only, several files where there are many"}
}

// parseSources reads files in their order. A file with a fault is left out whole, and so
// is what another file before it asks for already.
func parseSources(sources []source) wanted {
	w := wanted{from: map[string]string{}}
	owner := map[string]string{}
	for _, s := range sources {
		specs, err := s.parse()
		if err == nil {
			err = w.clash(specs, owner).Err()
		}
		if err != nil {
			w.problems = append(w.problems, control.ProblemsOf(err)...)
			continue
		}
		for _, spec := range specs {
			w.from[spec.Name] = s.path
			for _, p := range spec.Ports {
				owner[p.Name] = spec.Name
			}
		}
		w.specs = append(w.specs, specs...)
	}
	return w
}

// parse reads one file: an aggregate with flat option keys, named by `name:` or else by
// the file, or several under `aggregates:`.
func (s source) parse() ([]agg.Spec, error) {
	if len(s.text) > maxFile {
		return nil, tooLarge(s.path)
	}
	name := strings.TrimSuffix(filepath.Base(s.path), filepath.Ext(s.path))
	return parseConfig(s.path, name, s.text)
}

// clash finds names that two files give, and ports that two aggregates name.
func (w wanted) clash(specs []agg.Spec, owner map[string]string) agg.Problems {
	var out agg.Problems
	own := map[string]string{}
	for _, spec := range specs {
		if other, ok := w.from[spec.Name]; ok {
			out = append(out, &agg.Problem{Code: "duplicate-name", Object: spec.Name, Rule: "is configured in " + other + " too", Remedy: "remove one of them"})
		}
		for _, p := range spec.Ports {
			was, ok := owner[p.Name]
			if !ok {
				was, ok = own[p.Name]
			}
			if ok && was != spec.Name {
				out = append(out, &agg.Problem{Code: "port-busy", Object: p.Name, Rule: "is configured as a port of " + was + " and of " + spec.Name, Remedy: "name it in one of them"})
			}
			own[p.Name] = spec.Name
		}
	}
	return out
}
