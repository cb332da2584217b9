package daemon

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/control"
)

// What failed beside a refusal is told and logged.
func TestAFailureBesideARefusalIsToldAndLogged(t *testing.T) {
	var log strings.Builder
	s := &server{log: slog.New(slog.NewTextHandler(&log, nil))}
	refusal := &agg.Problem{Code: "no", Rule: "the plane refuses", Remedy: "another plane"}
	for _, c := range []struct {
		err    error
		status int
		logged bool
	}{
		{refusal, http.StatusUnprocessableEntity, false},
		{errors.Join(refusal, fmt.Errorf("take the changes back: %w", errors.New("EBUSY"))), http.StatusInternalServerError, true},
	} {
		log.Reset()
		w := httptest.NewRecorder()
		s.refuse(w, c.err)
		var body control.ErrorBody
		if err := json.NewDecoder(w.Body).Decode(&body); err != nil {
			t.Fatal(err)
		}
		if w.Code != c.status || strings.Contains(log.String(), "take the changes back: EBUSY") != c.logged {
			t.Errorf("%v: status %d, log %q", c.err, w.Code, log.String())
		}
		refused(t, body.Problems, "no", "another plane")
		if got := strings.Contains(body.Problems.Error(), "take the changes back: EBUSY"); got != c.logged {
			t.Errorf("%v: told is %q", c.err, body.Problems)
		}
	}
}
