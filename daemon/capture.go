package daemon

import (
	"bytes"
	"net/http"
	"time"

	"github.com/yokelag/yoke/capture"
	"github.com/yokelag/yoke/control"
)

// capture answers with the last steps of an aggregate's LACP as a pcapng.
func (s *server) capture(w http.ResponseWriter, r *http.Request) {
	text, err := s.captured(r)
	if err != nil {
		s.refuse(w, err)
		return
	}
	w.Header().Set("Content-Type", control.CaptureType)
	if _, err := w.Write(text); err != nil {
		s.log.Debug("answer not delivered", "path", r.URL.Path, "error", err)
	}
}

func (s *server) captured(r *http.Request) ([]byte, error) {
	a, err := s.registry.get(r.PathValue("name"))
	if err != nil {
		return nil, err
	}
	t, err := a.engine.Trace(r.Context())
	if err != nil {
		return nil, err
	}
	boot := time.Now().Add(-time.Duration(s.registry.world.Clock().Now()))
	var b bytes.Buffer
	err = capture.Write(&b, capture.File{Aggregate: a.name, Boot: boot, Trace: &t})
	return b.Bytes(), err
}
