package daemon

import (
	"github.com/yokelag/yoke/agg"
)

// formerly is the name of the aggregate before it was renamed, empty where it never was.
func (s *store) formerly() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.file.Formerly
}

// renamedSince refuses to make what a file asks for where that is there under another name:
// somebody renamed its device, and it has the ports.
func (r *registry) renamedSince(spec agg.Spec) *agg.Problem {
	all, _ := r.list()
	for _, a := range all {
		if a.store.formerly() != spec.Name {
			continue
		}
		for _, p := range a.engine.Wanted().Ports {
			if spec.Port(p.Name) != agg.NoPort {
				return &agg.Problem{Code: "renamed", Object: spec.Name,
					Rule:   "is called " + a.name + " since somebody renamed its device, and has " + p.Name,
					Remedy: "write `name: " + a.name + "` into the file, or give the device its name back: `ip link set dev " + a.name + " name " + spec.Name + "`"}
			}
		}
	}
	return nil
}
