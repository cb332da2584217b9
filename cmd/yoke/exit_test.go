package main

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"testing"

	"github.com/yokelag/yoke/control"
)

// With -o json a refusal is JSON too, as the API gives it.
func TestRefusalsAreJSONWhereAsked(t *testing.T) {
	var stderr bytes.Buffer
	code := run(t.Context(), []string{"up", "bond0", "mimon=5", "eth1", "-o", "json"}, io.Discard, &stderr)
	var body control.ErrorBody
	if err := json.Unmarshal(stderr.Bytes(), &body); err != nil || code != exitFailed {
		t.Fatalf("exit code %d: %v\n%s", code, err, &stderr)
	}
	if body.Version != control.Version || len(body.Problems) != 1 ||
		!strings.Contains(body.Problems[0].Remedy, "`yoke up bond0 miimon=5 eth1 -o json`") {
		t.Errorf("got %s", &stderr)
	}
}
