package control

import (
	"encoding/json"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"testing"

	"github.com/yokelag/yoke/agg"
)

// What went before and after a failure is named, and every failure told.
func TestDownAllNamesWhatWent(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+PathAggregates, func(w http.ResponseWriter, _ *http.Request) {
		var list StatusList
		for _, name := range []string{"bond0", "bond1", "bond2", "bond3"} {
			list.Aggregates = append(list.Aggregates, agg.Status{Name: name})
		}
		_ = json.NewEncoder(w).Encode(list)
	})
	mux.HandleFunc("DELETE "+PathAggregate, func(w http.ResponseWriter, r *http.Request) {
		name := r.PathValue("name")
		code := map[string]string{"bond1": CodeInternal, "bond2": CodeNotFound}[name]
		if code != "" {
			w.WriteHeader(StatusOf(code))
			_ = json.NewEncoder(w).Encode(ErrorBody{Problems: agg.Problems{{Code: code, Object: name, Rule: "no"}}})
			return
		}
		_ = json.NewEncoder(w).Encode(Removed{Names: []string{name}})
	})
	srv := &http.Server{Handler: mux}
	done := make(chan error, 1)
	go func() { done <- srv.Serve(l) }()
	t.Cleanup(func() {
		_ = srv.Close()
		<-done
	})
	c := NewClient(socket)
	defer c.Close()
	got, err := c.DownAll(t.Context())
	if !slices.Equal(got.Names, []string{"bond0", "bond3"}) || !HasCode(err, CodeInternal) || HasCode(err, CodeNotFound) {
		t.Errorf("gone are %v, %v", got.Names, err)
	}
}
