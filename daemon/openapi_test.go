package daemon

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/yokelag/yoke/control"
)

// The server answers what the description lists, and nothing else.
func TestEveryRouteIsDescribed(t *testing.T) {
	s := &server{}
	var served, described []string
	served = append(served, slices.Collect(maps.Keys(s.handlers()))...)
	served = append(served, slices.Collect(maps.Keys(s.writers()))...)
	for _, c := range control.Calls() {
		described = append(described, c.Method+" "+c.Path)
	}
	slices.Sort(served)
	slices.Sort(described)
	if !slices.Equal(served, described) {
		t.Errorf("served\n%s\ndescribed\n%s", strings.Join(served, "\n"), strings.Join(described, "\n"))
	}
}

// api asks a daemon as a stranger would who has read the description.
type api struct {
	t        *testing.T
	http     *http.Client
	compiler *jsonschema.Compiler
	asked    map[string]bool
}

// strict forbids fields that are not described: a description that lacks one is wrong,
// while a reader must bear more.
func strict(v any) {
	switch v := v.(type) {
	case map[string]any:
		if _, ok := v["properties"]; ok {
			v["additionalProperties"] = false
		}
		for _, inner := range v {
			strict(inner)
		}
	case []any:
		for _, inner := range v {
			strict(inner)
		}
	}
}

func newAPI(r *rig) *api {
	r.t.Helper()
	a := &api{t: r.t, compiler: jsonschema.NewCompiler(), asked: map[string]bool{}}
	a.http = &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", r.o.Socket)
	}}}
	r.t.Cleanup(a.http.CloseIdleConnections)
	_, text := a.send("GET", control.PathOpenAPI, "")
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		r.t.Fatal(err)
	}
	strict(doc)
	if err := a.compiler.AddResource("openapi.json", doc); err != nil {
		r.t.Fatal(err)
	}
	return a
}

func (a *api) send(method, path, body string) (int, []byte) {
	a.t.Helper()
	request, err := http.NewRequestWithContext(a.t.Context(), method, "http://yoke"+path, strings.NewReader(body))
	if err != nil {
		a.t.Fatal(err)
	}
	request.Header.Set(control.NamespaceHeader, strconv.FormatUint(control.OwnNamespace(), 10))
	resp, err := a.http.Do(request)
	if err != nil {
		a.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		a.t.Fatal(err)
	}
	return resp.StatusCode, text
}

// call asks for a described call, with {name} and the like filled in, and judges question
// and answer by the description.
func (a *api) call(method, pattern, path, body string, want int) []byte {
	a.t.Helper()
	a.asked[method+" "+pattern] = true
	status, text := a.send(method, path, body)
	if status != want {
		a.t.Errorf("%s %s: status %d, want %d: %s", method, path, status, want, text)
	}
	at := "#/paths/" + strings.ReplaceAll(pattern, "/", "~1") + "/" + strings.ToLower(method)
	if body != "" && want == http.StatusOK {
		a.judge(method+" "+path+" is asked", at+"/requestBody/content/application~1json/schema", []byte(body))
	}
	kind, answer := "application/json", "200"
	if want != http.StatusOK {
		answer = "default"
	} else {
		for _, c := range control.Calls() {
			if c.Method == method && c.Path == pattern && c.Content != "" {
				kind = c.Content
			}
		}
	}
	at += "/responses/" + answer + "/content/" + strings.ReplaceAll(kind, "/", "~1") + "/schema"
	switch kind {
	case "application/json":
		a.judge(method+" "+path, at, text)
	case "application/x-ndjson":
		for line := range bytes.Lines(text) {
			a.judge(method+" "+path, at, line)
		}
	}
	return text
}

func (a *api) judge(what, at string, text []byte) {
	a.t.Helper()
	s, err := a.compiler.Compile("openapi.json" + at)
	if err != nil {
		a.t.Fatalf("%s: %v", what, err)
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		a.t.Fatalf("%s: %v\n%s", what, err, text)
	}
	if err := s.Validate(v); err != nil {
		a.t.Errorf("%s: %v\n%s", what, err, text)
	}
}

// Every call of the description is made, once where it works and often where it does not,
// and every answer is as described.
func TestAnswersAreAsDescribed(t *testing.T) {
	r := newRig(t, "eth1", "eth2", "eth3")
	r.o.Config = t.TempDir()
	r.start()
	a := newAPI(r)
	const ok, bad, none, unfit = http.StatusOK, http.StatusBadRequest, http.StatusNotFound, http.StatusUnprocessableEntity
	one := "/v1/aggregates/bond0"
	a.call("GET", control.PathOpenAPI, control.PathOpenAPI, "", ok)
	a.call("GET", control.PathDaemon, control.PathDaemon, "", ok)
	a.call("GET", control.PathAggregates, control.PathAggregates, "", ok)
	a.call("POST", control.PathAggregates, control.PathAggregates, `{"spec": {"name": "bond0", "options": {"mode": "balance-xor"}, "ports": [{"name": "eth1", "options": {"weight": "2"}}, {"name": "eth2"}]}}`, ok)
	a.call("POST", control.PathAggregates, control.PathAggregates, `{"spec": {"name": "bond0"}}`, unfit)
	a.call("POST", control.PathAggregates, control.PathAggregates, `{"spce": 1}`, bad)
	a.call("GET", control.PathAggregates, control.PathAggregates, "", ok)
	a.call("GET", control.PathAggregate, one, "", ok)
	a.call("GET", control.PathAggregate, one+"9", "", none)
	a.call("GET", control.PathOptions, one+"/options", "", ok)
	a.call("PATCH", control.PathOptions, one+"/options", `{"set": {"miimon": "50"}, "ports": {"eth1": {"weight": ""}}}`, ok)
	a.call("PATCH", control.PathOptions, one+"/options", `{"set": {"mimon": "50"}}`, unfit)
	a.call("POST", control.PathPorts, one+"/ports", `{"ports": [{"name": "eth3"}]}`, ok)
	a.call("DELETE", control.PathPort, one+"/ports/eth3", "", ok)
	a.call("DELETE", control.PathPort, one+"/ports/eth3", "", none)
	a.call("DELETE", control.PathPorts, one+"/ports?ports=eth3", "", none)
	a.call("DELETE", control.PathPorts, one+"/ports?ports=", "", bad)
	a.call("POST", control.PathPorts, one+"/ports", `{"ports": [{"name": "eth3"}]}`, ok)
	a.call("DELETE", control.PathPorts, one+"/ports?ports=eth3", "", ok)
	a.call("POST", control.PathExplain, one+"/explain", `{"flow": "src=10.0.0.1,dst=10.0.0.2,proto=tcp,dport=443", "reach": "eth2"}`, ok)
	a.call("POST", control.PathExplain, one+"/explain", `{"flow": "nonsense"}`, unfit)
	a.call("GET", control.PathReady, one+"/ready?for=ports=2", "", ok)
	a.call("GET", control.PathReady, one+"/ready?for=luck", "", bad)
	a.call("POST", control.PathSave, one+"/save", `{"print": true}`, ok)
	a.call("POST", control.PathSave, one+"/save", `{}`, ok)
	a.call("GET", control.PathProc, one+"/proc", "", ok)
	a.call("GET", control.PathCapture, one+"/capture", "", unfit)
	a.call("POST", control.PathApply, control.PathApply, `{"dry_run": true}`, ok)
	a.call("POST", control.PathApply, control.PathApply, `{"files": [{"path": "a.yaml", "text": "mod: 1"}]}`, unfit)
	a.call("GET", control.PathConfirm, control.PathConfirm, "", ok)
	a.call("POST", control.PathConfirm, control.PathConfirm, "", none)
	a.call("POST", control.PathApply, control.PathApply, `{"files": [{"path": "bond0.yaml", "text": "mode: balance-xor\nports: [eth2, eth3]"}], "confirm_ms": 3600000}`, ok)
	a.call("GET", control.PathConfirm, control.PathConfirm, "", ok)
	a.call("GET", control.PathAggregate, one, "", ok)
	a.call("POST", control.PathConfirm, control.PathConfirm, "", ok)
	a.call("POST", control.PathApply, control.PathApply, `{"confirm_ms": 3600000}`, ok)
	a.call("DELETE", control.PathConfirm, control.PathConfirm, "", ok)
	a.call("GET", control.PathEvents, control.PathEvents+"?aggregate=bond0&since=1", "", ok)
	a.call("GET", control.PathEvents, control.PathEvents+"?since=x", "", bad)
	a.call("DELETE", control.PathAggregate, one, "", ok)
	a.call("DELETE", control.PathAggregates, control.PathAggregates, "", ok)
	for _, c := range control.Calls() {
		if !a.asked[c.Method+" "+c.Path] {
			t.Errorf("%s %s was not asked", c.Method, c.Path)
		}
	}
	var list struct{ Paths map[string]any }
	if err := json.Unmarshal([]byte(control.OpenAPI()), &list); err != nil || len(list.Paths) == 0 {
		t.Errorf("the description has no paths: %v", err)
	}
}
