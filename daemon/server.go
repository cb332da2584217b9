package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/control"
)

// server answers the API of package control.
type server struct {
	about        control.Daemon
	registry     *registry
	files        *files
	confirmation *confirmation
	// unread are the faults of state files that were left out.
	unread agg.Problems
	log    *slog.Logger
	// applying is held while files are put in force or written.
	applying sync.Mutex
	// ending is done when streams must end.
	ending context.Context //nolint:containedctx // a signal to all streams, of the server and not of a call
}

// handler answers one request with a value that becomes JSON, or with an error.
type handler func(r *http.Request) (any, error)

func (s *server) routes() http.Handler {
	mux := http.NewServeMux()
	for pattern, h := range s.handlers() {
		mux.HandleFunc(pattern, s.answer(h))
	}
	for pattern, h := range s.writers() {
		mux.HandleFunc(pattern, h)
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.refuse(w, &agg.Problem{Code: control.CodeNotFound, Object: r.Method + " " + r.URL.Path, Rule: "is not part of the API",
			Remedy: "use a yoke of this yoked's release, " + s.about.Release})
	})
	return s.guard(mux)
}

// handlers are those that answer with JSON.
func (s *server) handlers() map[string]handler {
	return map[string]handler{
		"GET " + control.PathDaemon:        s.getDaemon,
		"GET " + control.PathAggregates:    s.getAll,
		"POST " + control.PathAggregates:   s.up,
		"DELETE " + control.PathAggregates: s.downAll,
		"GET " + control.PathAggregate:     s.getOne,
		"DELETE " + control.PathAggregate:  s.down,
		"GET " + control.PathOptions:       s.getOptions,
		"PATCH " + control.PathOptions:     s.setOptions,
		"POST " + control.PathPorts:        s.addPorts,
		"DELETE " + control.PathPorts:      s.removePorts,
		"DELETE " + control.PathPort:       s.removePort,
		"POST " + control.PathExplain:      s.explain,
		"GET " + control.PathReady:         s.ready,
		"POST " + control.PathSave:         s.save,
		"POST " + control.PathApply:        s.apply,
		"GET " + control.PathConfirm:       s.getPending,
		"POST " + control.PathConfirm:      s.confirm,
		"DELETE " + control.PathConfirm:    s.undo,
	}
}

// writers are those that answer otherwise.
func (s *server) writers() map[string]http.HandlerFunc {
	return map[string]http.HandlerFunc{
		"GET " + control.PathEvents:  s.events,
		"GET " + control.PathProc:    s.proc,
		"GET " + control.PathCapture: s.capture,
		"GET " + control.PathOpenAPI: s.openAPI,
	}
}

// guard lets only clients of this network namespace in.
func (s *server) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := s.checkNamespace(r); err != nil {
			s.refuse(w, err)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (s *server) answer(h handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		out, err := h(r)
		if err != nil {
			s.refuse(w, err)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(w).Encode(out); err != nil {
			s.log.Debug("answer not delivered", "path", r.URL.Path, "error", err)
		}
	}
}

func (s *server) refuse(w http.ResponseWriter, err error) {
	problems := control.ProblemsOf(err)
	status := control.StatusOf(problems[0].Code)
	// A failure beside a refusal is a failure: not all is as it was.
	for _, p := range problems {
		if p.Code != control.CodeInternal {
			continue
		}
		status = control.StatusOf(p.Code)
		if p.Remedy == "" {
			p.Remedy = "`yoke events` and the daemon's log tell more"
		}
	}
	if status == http.StatusInternalServerError {
		s.log.Error("request failed", "error", err)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(control.ErrorBody{Version: control.Version, Problems: problems}); err != nil {
		s.log.Debug("refusal not delivered", "error", err)
	}
}

// read reads the body of a request strictly.
func read[T any](r *http.Request) (T, error) {
	var out T
	dec := json.NewDecoder(r.Body)
	dec.DisallowUnknownFields()
	if err := dec.Decode(&out); err != nil && !errors.Is(err, io.EOF) {
		return out, &agg.Problem{Code: control.CodeBadRequest, Object: "the request", Rule: err.Error(),
			Remedy: "use a yoke and a yoked of the same release"}
	}
	return out, nil
}

func (s *server) getDaemon(*http.Request) (any, error) { return s.about, nil }

func (s *server) getAll(r *http.Request) (any, error) { return s.statuses(r.Context(), "") }

func (s *server) getOne(r *http.Request) (any, error) {
	return s.statuses(r.Context(), r.PathValue("name"))
}

func (s *server) up(r *http.Request) (any, error) {
	request, err := read[control.UpRequest](r)
	if err != nil {
		return nil, err
	}
	// A client that goes away does not leave an aggregate half made.
	ctx := context.WithoutCancel(r.Context())
	spec, err := request.Spec.Normal()
	if err != nil {
		return nil, errors.Join(err, spec.Validate()) // all at once, those of what is left too
	}
	if request.DryRun {
		return s.registry.wouldUp(ctx, spec, request.TakeOver)
	}
	confirm := time.Duration(request.ConfirmMS) * time.Millisecond
	err = s.confirmation.around("up "+spec.Name, confirm, past{Before: map[string]*agg.Spec{spec.Name: nil}}, func() error {
		if request.TakeOver {
			return s.registry.upTakingOver(ctx, spec, origin{})
		}
		return s.registry.up(ctx, spec, origin{})
	})
	if err != nil {
		return nil, err
	}
	return s.statuses(r.Context(), spec.Name)
}

func (s *server) down(r *http.Request) (any, error) {
	name := r.PathValue("name")
	if err := s.registry.release(r.Context(), name); err != nil {
		return nil, err
	}
	return control.Removed{Version: control.Version, Names: []string{name}}, nil
}

func (s *server) downAll(r *http.Request) (any, error) {
	out := control.Removed{Version: control.Version, Names: []string{}}
	var problems agg.Problems
	for _, name := range s.registry.everyone() {
		if err := s.registry.release(r.Context(), name); err != nil {
			problems = append(problems, control.ProblemsOf(err)...)
			continue
		}
		out.Names = append(out.Names, name)
	}
	return out, problems.Err()
}

func (s *server) getOptions(r *http.Request) (any, error) {
	a, err := s.registry.get(r.PathValue("name"))
	if err != nil {
		return nil, err
	}
	return readBack(r.Context(), a)
}

// readBack asks the engine what it has, after a change as well.
func readBack(ctx context.Context, a *aggregate) (control.Options, error) {
	spec, err := a.engine.Spec(ctx)
	if err != nil {
		return control.Options{}, err
	}
	return optionValues(spec), nil
}

func (s *server) setOptions(r *http.Request) (any, error) {
	request, err := read[control.SetRequest](r)
	if err != nil {
		return nil, err
	}
	a, err := s.registry.get(r.PathValue("name"))
	if err != nil {
		return nil, err
	}
	now, err := a.engine.Status(r.Context())
	if err != nil {
		return nil, err
	}
	after, err := s.registry.update(r.Context(), a.name, func(spec *agg.Spec) error {
		if err := applySet(spec, request); err != nil {
			return err
		}
		return checkActive(request, now, *spec)
	}, selecting(request)...)
	if err != nil {
		return nil, err
	}
	out, err := readBack(r.Context(), after)
	out.Findings = endMove(a, after)
	return out, err
}

func (s *server) addPorts(r *http.Request) (any, error) {
	request, err := read[control.AddRequest](r)
	if err != nil {
		return nil, err
	}
	added, err := agg.Spec{Ports: request.Ports}.Normal()
	if err != nil {
		return nil, err
	}
	name := r.PathValue("name")
	_, err = s.registry.update(r.Context(), name, func(spec *agg.Spec) error {
		spec.Ports = append(spec.Ports, added.Ports...)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return s.statuses(r.Context(), name)
}

func (s *server) removePort(r *http.Request) (any, error) {
	return s.remove(r, r.PathValue("port"))
}

func (s *server) removePorts(r *http.Request) (any, error) {
	var ports []string
	for port := range strings.SplitSeq(r.URL.Query().Get("ports"), ",") {
		if port == "" {
			return nil, &agg.Problem{Code: control.CodeBadRequest, Option: "ports", Value: r.URL.Query().Get("ports"),
				Rule: "must name the ports, with commas between them", Remedy: "`yoke remove " + r.PathValue("name") + " eth1 eth2`"}
		}
		ports = append(ports, port)
	}
	return s.remove(r, ports...)
}

// remove gives ports back, all of them or none.
func (s *server) remove(r *http.Request, ports ...string) (any, error) {
	name := r.PathValue("name")
	_, err := s.registry.update(r.Context(), name, func(spec *agg.Spec) error {
		var out agg.Problems
		for _, port := range ports {
			i := spec.Port(port)
			switch {
			case i == agg.NoPort:
				out = append(out, noSuchPort(name, port, *spec))
			case spec.Ports[i].Matched != "":
				out = append(out, foundByMatch(name, spec.Ports[i]))
			}
		}
		spec.Ports = slices.DeleteFunc(spec.Ports, func(p agg.PortSpec) bool { return slices.Contains(ports, p.Name) })
		return out.Err()
	})
	if err != nil {
		return nil, err
	}
	return s.statuses(r.Context(), name)
}

// serve answers on l until ctx ends, then lets requests in flight finish.
func serve(ctx context.Context, l net.Listener, h http.Handler) error {
	srv := &http.Server{
		Handler: h, ConnContext: withPeer, ReadHeaderTimeout: headerWithin,
		BaseContext: func(net.Listener) context.Context { return context.WithoutCancel(ctx) },
	}
	failed := make(chan error, 1)
	go func() { failed <- srv.Serve(l) }()
	select {
	case err := <-failed:
		return fmt.Errorf("serve %s: %w", l.Addr(), err)
	case <-ctx.Done():
	}
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopWithin)
	defer cancel()
	err := srv.Shutdown(stop)
	if end := <-failed; !errors.Is(end, http.ErrServerClosed) {
		err = errors.Join(err, end)
	}
	if err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("stop serving %s: %w", l.Addr(), err)
	}
	return nil
}
