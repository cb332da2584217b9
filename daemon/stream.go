package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/control"
)

// events streams what happened, and with follow what happens, one object a line.
func (s *server) events(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	name := q.Get("aggregate")
	since, err := parseSince(q.Get("since"), name)
	if err != nil {
		s.refuse(w, err)
		return
	}
	if name != "" {
		if _, err := s.registry.get(name); err != nil {
			s.refuse(w, err)
			return
		}
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(s.ending, cancel)()
	w.Header().Set("Content-Type", "application/x-ndjson")
	st := &stream{registry: s.registry, name: name, enc: json.NewEncoder(w), flush: http.NewResponseController(w).Flush, seen: map[*aggregate]uint64{}, left: map[string]uint64{}, since: since}
	if err := st.run(ctx, q.Get("follow") == "true"); err != nil && ctx.Err() == nil {
		s.log.Debug("stream ended", "error", err)
	}
}

// parseSince reads the numbers of the last events seen: N for the named aggregate, or
// NAME=N,NAME=N where the events of several were read.
func parseSince(text, name string) (map[string]uint64, error) {
	out := map[string]uint64{}
	for word := range strings.SplitSeq(text, ",") {
		of, number, several := strings.Cut(word, "=")
		if !several {
			of, number = name, word
		}
		if word == "" || number == "0" {
			continue
		}
		n, err := strconv.ParseUint(number, 10, 64)
		if err != nil || of == "" {
			return nil, &agg.Problem{Code: control.CodeBadRequest, Option: "since", Value: text, Rule: "each aggregate counts its own events",
				Remedy: "`yoke events bond0 --since 41`, or `yoke events --since bond0=41,bond1=7`"}
		}
		out[of] = n
	}
	return out, nil
}

// stream writes the events of one aggregate, or of all as they come and go.
type stream struct {
	registry *registry
	name     string
	enc      *json.Encoder
	flush    func() error
	seen     map[*aggregate]uint64 // number of the last event written
	since    map[string]uint64     // where the reader of an aggregate goes on, by name
	left     map[string]uint64     // up to where aggregates that are gone were read, by name
}

func (s *stream) run(ctx context.Context, follow bool) error {
	for {
		all, changed := s.wanted()
		if err := errors.Join(s.writeLast(all), s.writeNew(all)); err != nil {
			return err
		}
		if err := s.flush(); err != nil {
			return fmt.Errorf("flush events: %w", err)
		}
		if !follow {
			return nil
		}
		if err := s.wait(ctx, all, changed); err != nil {
			return err
		}
	}
}

func (s *stream) wanted() ([]*aggregate, <-chan struct{}) {
	all, changed := s.registry.list()
	var out []*aggregate
	for _, a := range all {
		if _, read := s.left[s.name]; read && a.store.formerly() == s.name {
			s.name = a.name // it goes by another name now
		}
	}
	for _, a := range all {
		if s.name == "" || a.name == s.name {
			out = append(out, a)
		}
	}
	return out, changed
}

// writeLast writes what is left of aggregates that are gone: why, for one.
func (s *stream) writeLast(all []*aggregate) error {
	var gone []*aggregate
	for a := range s.seen {
		if !slices.Contains(all, a) {
			gone = append(gone, a)
		}
	}
	err := s.writeNew(gone)
	for _, a := range gone {
		s.left[a.name] = s.seen[a]
		delete(s.seen, a)
	}
	return err
}

func (s *stream) writeNew(all []*aggregate) error {
	for _, a := range all {
		if _, known := s.seen[a]; !known {
			s.seen[a] = s.since[a.name]
			delete(s.since, a.name) // another of this name counts anew
			if read, was := s.left[a.store.formerly()]; was {
				s.seen[a] = max(s.seen[a], read) // renamed, it goes on counting
			}
		}
		events, lost := a.engine.Events(s.seen[a])
		items, seen := itemsOf(a.name, s.seen[a], events, lost)
		for _, item := range items {
			if item.Event != nil {
				item.Wall = s.wall(item.Event.Time)
			}
			if err := s.enc.Encode(item); err != nil {
				return fmt.Errorf("write event: %w", err)
			}
		}
		s.seen[a] = seen
	}
	return nil
}

// itemsOf is what a reader gets who has seen the events up to since: those that are kept,
// and in their place those of the others, lost in number, that are not. It returns the
// number up to which the reader has seen all then. Who has seen none yet asks for what
// is kept and is not told what is not.
func itemsOf(aggregate string, since uint64, events []agg.Event, lost uint64) ([]control.StreamItem, uint64) {
	var items []control.StreamItem
	seen := since
	skip := func(n uint64) {
		if n > 0 && since > 0 {
			gone := &control.Lost{Aggregate: aggregate, First: seen + 1, Last: seen + n}
			items = append(items, control.StreamItem{Version: control.Version, Lost: gone})
		}
		seen, lost = seen+n, lost-n
	}
	for _, e := range events {
		skip(e.Seq - seen - 1)
		items = append(items, control.StreamItem{Version: control.Version, Event: &e})
		seen = e.Seq
	}
	skip(lost) // a daemon that was killed may have lost the newest
	return items, seen
}

func (s *stream) wall(at agg.Instant) time.Time {
	return time.Now().Add(-s.registry.world.Clock().Now().Sub(at)).Round(time.Microsecond)
}

// wait returns when one of the aggregates has a new event, or there are others.
func (s *stream) wait(ctx context.Context, all []*aggregate, changed <-chan struct{}) error {
	inner, cancel := context.WithCancel(ctx)
	defer cancel()
	woken := make(chan struct{}, len(all))
	for _, a := range all {
		since := s.seen[a]
		go func() {
			if a.engine.WaitEvent(inner, since) == nil {
				woken <- struct{}{}
			}
		}()
	}
	select {
	case <-woken:
	case <-changed:
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}
