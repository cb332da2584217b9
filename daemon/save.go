package daemon

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/control"
)

// configText is the file that asks for the spec, options in the order of the table.
func configText(spec agg.Spec) ([]byte, error) {
	doc := append(yaml.MapSlice{{Key: "name", Value: spec.Name}}, settingsItems(spec.Options, agg.OfAggregate)...)
	var ports []any
	for _, p := range spec.Named().Ports {
		if len(p.Options) == 0 {
			ports = append(ports, p.Name)
			continue
		}
		ports = append(ports, append(yaml.MapSlice{{Key: "name", Value: p.Name}}, settingsItems(p.Options, agg.OfPort)...))
	}
	for _, m := range spec.Match {
		var words yaml.MapSlice
		for key, value := range m.Match.All() {
			words = append(words, yaml.MapItem{Key: key, Value: value})
		}
		ports = append(ports, append(yaml.MapSlice{{Key: "match", Value: words}}, settingsItems(m.Options, agg.OfPort)...))
	}
	if ports != nil {
		doc = append(doc, yaml.MapItem{Key: "ports", Value: ports})
	}
	text, err := yaml.MarshalWithOptions(doc, yaml.IndentSequence(true))
	if err != nil {
		return nil, fmt.Errorf("write %s as YAML: %w", spec.Name, err)
	}
	return text, nil
}

func settingsItems(s agg.Settings, scope agg.Scope) yaml.MapSlice {
	var out yaml.MapSlice
	for _, o := range agg.Options() {
		if value, ok := s[o.Name]; ok && o.Scope&scope != 0 {
			out = append(out, yaml.MapItem{Key: o.Name, Value: value})
		}
	}
	return out
}

// save writes an aggregate as it runs into the configuration.
func (s *server) save(r *http.Request) (any, error) {
	request, err := read[control.SaveRequest](r)
	if err != nil {
		return nil, err
	}
	a, err := s.registry.get(r.PathValue("name"))
	if err != nil {
		return nil, err
	}
	spec, err := a.engine.Spec(r.Context())
	if err != nil {
		return nil, err
	}
	text, err := configText(spec)
	if err != nil {
		return nil, err
	}
	out := control.Saved{Version: control.Version, Aggregate: spec.Name, Text: string(text)}
	if request.Print {
		return out, nil
	}
	s.applying.Lock()
	defer s.applying.Unlock()
	if out.Path, err = s.saveTo(spec.Name); err != nil {
		return nil, err
	}
	// First it is remembered, so that the file is no news when it is read.
	was := a.store.said()
	err = a.store.configured(&spec)
	if err == nil {
		err = writeDurably(out.Path, text)
	}
	if err != nil {
		return nil, errors.Join(err, a.store.configured(was))
	}
	s.files.read()
	return out, nil
}

// saveTo is the file for an aggregate: the one that asks for it alone, or a new one.
func (s *server) saveTo(name string) (string, error) {
	print := "`yoke save " + name + " --print` prints what to write there"
	path := configPath(s.files.o)
	if s.files.o.File != "" || isFile(path) {
		return "", &agg.Problem{Code: "no-directory", Object: path, Rule: "is a file, and yoke writes files into a directory only", Remedy: print}
	}
	w := s.files.wanted()
	file, ok := w.from[name]
	if !ok {
		file = filepath.Join(path, name+".yaml")
		if _, err := os.Lstat(file); err == nil {
			return "", &agg.Problem{Code: "file-exists", Object: file, Rule: "is there and does not ask for " + name, Remedy: "move it away; " + print}
		}
		return file, nil
	}
	for other, from := range w.from {
		if from == file && other != name {
			return "", &agg.Problem{Code: "shared-file", Object: file, Rule: "asks for " + other + " too, and yoke rewrites only files of one aggregate", Remedy: print}
		}
	}
	return file, nil
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && !info.IsDir()
}

// writeDurably replaces a file so that a power cut leaves the old one or the new one.
func writeDurably(path string, text []byte) error {
	return writeInSteps(path, text, func(_ string, f func() error) error { return f() })
}

// writeInSteps is writeDurably with each step done by step, which tests let fail.
func writeInSteps(path string, text []byte, step func(name string, f func() error) error) (err error) {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return cannotWrite(path, err)
	}
	var f *os.File
	err = step("create", func() (err error) {
		f, err = os.CreateTemp(dir, "."+filepath.Base(path)+".*")
		return err
	})
	if err != nil {
		return cannotWrite(path, err)
	}
	defer func() {
		if err != nil {
			_ = f.Close() // it may be closed already
			if gone := os.Remove(f.Name()); gone != nil && !errors.Is(gone, fs.ErrNotExist) {
				err = errors.Join(err, gone)
			}
			err = cannotWrite(path, err)
		}
	}()
	for _, s := range []struct {
		name string
		f    func() error
	}{
		{"write", func() error { _, err := f.Write(text); return err }},
		{"mode", func() error { return f.Chmod(0o644) }},
		{"sync", f.Sync},
		{"close", f.Close},
		{"rename", func() error { return os.Rename(f.Name(), path) }},
		{"sync directory", func() error { return syncDirectory(dir) }},
	} {
		if err := step(s.name, s.f); err != nil {
			return err
		}
	}
	return nil
}

func syncDirectory(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func cannotWrite(path string, err error) *agg.Problem {
	return &agg.Problem{Code: "cannot-save", Object: path, Rule: strings.TrimPrefix(err.Error(), "open "), Remedy: "let yoked write there; `yoke save NAME --print > FILE` needs no such right"}
}
