package daemon

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/control"
)

// events streams what happened, and with follow what happens, one object a line.
func (s *server) events(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	since, err := strconv.ParseUint(orZero(q.Get("since")), 10, 64)
	name := q.Get("aggregate")
	if err != nil || (since != 0 && name == "") {
		s.refuse(w, &agg.Problem{Code: control.CodeBadRequest, Option: "since", Value: q.Get("since"), Rule: "is the number of an event of one aggregate",
			Remedy: "`yoke events bond0 --since 41`"})
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
	st := &stream{registry: s.registry, name: name, enc: json.NewEncoder(w), flush: http.NewResponseController(w).Flush, seen: map[*aggregate]uint64{}, first: since}
	if err := st.run(ctx, q.Get("follow") == "true"); err != nil && ctx.Err() == nil {
		s.log.Debug("stream ended", "error", err)
	}
}

func orZero(text string) string {
	if text == "" {
		return "0"
	}
	return text
}

// stream writes the events of one aggregate, or of all as they come and go.
type stream struct {
	registry *registry
	name     string
	enc      *json.Encoder
	flush    func() error
	seen     map[*aggregate]uint64 // number of the last event written
	first    uint64                // where a named aggregate's reader goes on
}

func (s *stream) run(ctx context.Context, follow bool) error {
	for {
		all, changed := s.wanted()
		if err := s.writeNew(all); err != nil {
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
		if s.name == "" || a.name == s.name {
			out = append(out, a)
		}
	}
	return out, changed
}

func (s *stream) writeNew(all []*aggregate) error {
	for _, a := range all {
		if _, known := s.seen[a]; !known {
			s.seen[a], s.first = s.first, 0
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
