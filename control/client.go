package control

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/yokelag/yoke/agg"
)

// Client speaks to one daemon. It is safe for concurrent use.
type Client struct {
	socket    string
	namespace uint64
	http      *http.Client
}

// NewClient returns a client of the daemon on socket. Nothing is asked of it yet.
func NewClient(socket string) *Client {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", socket)
	}
	return &Client{
		socket:    socket,
		namespace: OwnNamespace(),
		http:      &http.Client{Transport: &http.Transport{DialContext: dial}},
	}
}

// Close lets go of idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Daemon asks who answers.
func (c *Client) Daemon(ctx context.Context) (Daemon, error) {
	return do[Daemon](ctx, c, http.MethodGet, PathDaemon, nil)
}

// List asks for the status of every aggregate.
func (c *Client) List(ctx context.Context) (StatusList, error) {
	return do[StatusList](ctx, c, http.MethodGet, PathAggregates, nil)
}

// Status asks for the status of one aggregate.
func (c *Client) Status(ctx context.Context, name string) (StatusList, error) {
	return do[StatusList](ctx, c, http.MethodGet, fill(PathAggregate, name), nil)
}

// Up makes an aggregate and returns its status.
func (c *Client) Up(ctx context.Context, spec agg.Spec) (StatusList, error) {
	return c.UpWith(ctx, UpRequest{Spec: spec})
}

// UpWith is Up with all that can be asked for.
func (c *Client) UpWith(ctx context.Context, r UpRequest) (StatusList, error) {
	return do[StatusList](ctx, c, http.MethodPost, PathAggregates, r)
}

// Apply makes what files say be in force, or tells the difference.
func (c *Client) Apply(ctx context.Context, r ApplyRequest) (Difference, error) {
	return do[Difference](ctx, c, http.MethodPost, PathApply, r)
}

// Pending asks what waits to be confirmed.
func (c *Client) Pending(ctx context.Context) (Pending, error) {
	return do[Pending](ctx, c, http.MethodGet, PathConfirm, nil)
}

// Confirm keeps what waits to be confirmed, and says what it was.
func (c *Client) Confirm(ctx context.Context) (Pending, error) {
	return do[Pending](ctx, c, http.MethodPost, PathConfirm, nil)
}

// Undo undoes what waits to be confirmed at once, and says what it was.
func (c *Client) Undo(ctx context.Context) (Pending, error) {
	return do[Pending](ctx, c, http.MethodDelete, PathConfirm, nil)
}

// Save writes an aggregate into the daemon's configuration.
func (c *Client) Save(ctx context.Context, name string, r SaveRequest) (Saved, error) {
	return do[Saved](ctx, c, http.MethodPost, fill(PathSave, name), r)
}

// Ready asks whether an aggregate is as far as what says: carrier, ports=N, reachable or
// reachable=ADDRESS.
func (c *Client) Ready(ctx context.Context, name, what string) (Readiness, error) {
	return do[Readiness](ctx, c, http.MethodGet, fill(PathReady, name)+"?"+url.Values{"for": {what}}.Encode(), nil)
}

// Proc asks for an aggregate's status as the bonding driver words it.
func (c *Client) Proc(ctx context.Context, name string) (string, error) {
	resp, err := c.send(ctx, http.MethodGet, fill(PathProc, name), nil)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return "", fmt.Errorf("read the answer of %s: %w", c.socket, err)
	}
	return string(text), nil
}

// Down takes one aggregate apart.
func (c *Client) Down(ctx context.Context, name string) (Removed, error) {
	return do[Removed](ctx, c, http.MethodDelete, fill(PathAggregate, name), nil)
}

// DownAll takes every aggregate apart, one after the other. After an error the answer names
// those that are gone; the error is of all the others together.
func (c *Client) DownAll(ctx context.Context) (Removed, error) {
	out := Removed{Version: Version, Names: []string{}}
	list, err := c.List(ctx)
	if err != nil {
		return out, err
	}
	var problems agg.Problems
	for _, s := range list.Aggregates {
		one, err := c.Down(ctx, s.Name)
		if ctx.Err() != nil {
			return out, err
		}
		if err != nil && !HasCode(err, CodeNotFound) { // else somebody was quicker
			problems = append(problems, ProblemsOf(err)...)
		}
		out.Names = append(out.Names, one.Names...)
	}
	return out, problems.Err()
}

// Add gives an aggregate more ports.
func (c *Client) Add(ctx context.Context, name string, ports []agg.PortSpec) (StatusList, error) {
	return do[StatusList](ctx, c, http.MethodPost, fill(PathPorts, name), AddRequest{Ports: ports})
}

// Remove gives ports back, all of them or none.
func (c *Client) Remove(ctx context.Context, name string, ports ...string) (StatusList, error) {
	query := "?" + url.Values{"ports": {strings.Join(ports, ",")}}.Encode()
	return do[StatusList](ctx, c, http.MethodDelete, fill(PathPorts, name)+query, nil)
}

// Options asks for the values of all options in force.
func (c *Client) Options(ctx context.Context, name string) (Options, error) {
	return do[Options](ctx, c, http.MethodGet, fill(PathOptions, name), nil)
}

// Set changes options and returns all values as read back.
func (c *Client) Set(ctx context.Context, name string, r SetRequest) (Options, error) {
	return do[Options](ctx, c, http.MethodPatch, fill(PathOptions, name), r)
}

// Explain asks which port a flow takes.
func (c *Client) Explain(ctx context.Context, name string, r ExplainRequest) (Explanation, error) {
	return do[Explanation](ctx, c, http.MethodPost, fill(PathExplain, name), r)
}

// EventsQuery says which events are wanted.
type EventsQuery struct {
	// Aggregate restricts the stream to one aggregate.
	Aggregate string
	// Since is the sequence number of the last event of Aggregate seen, or NAME=N,NAME=N of
	// several, because each counts its own events. Empty asks for all that are kept.
	Since string
	// Follow keeps the stream open for what happens next.
	Follow bool
}

// Events calls each for every line of the stream until the stream ends, ctx ends or
// each returns an error.
func (c *Client) Events(ctx context.Context, q EventsQuery, each func(StreamItem) error) error {
	v := url.Values{"since": {q.Since}, "follow": {strconv.FormatBool(q.Follow)}}
	if q.Aggregate != "" {
		v.Set("aggregate", q.Aggregate)
	}
	resp, err := c.send(ctx, http.MethodGet, PathEvents+"?"+v.Encode(), nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	dec := json.NewDecoder(resp.Body)
	for {
		var item StreamItem
		if err := dec.Decode(&item); err == io.EOF {
			return nil
		} else if err != nil {
			return fmt.Errorf("read the stream of events from %s: %w", c.socket, err)
		}
		if err := each(item); err != nil {
			return err
		}
	}
}

func fill(path, name string) string {
	return strings.ReplaceAll(path, "{name}", url.PathEscape(name))
}

func do[T any](ctx context.Context, c *Client, method, path string, body any) (T, error) {
	var out T
	resp, err := c.send(ctx, method, path, body)
	if err != nil {
		return out, err
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(&out); err != nil {
		return out, fmt.Errorf("read the answer of %s: %w", c.socket, err)
	}
	return out, nil
}

// send returns a successful answer; everything else becomes an error.
func (c *Client) send(ctx context.Context, method, path string, body any) (*http.Response, error) {
	var payload io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return nil, fmt.Errorf("write the request: %w", err)
		}
		payload = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://yoke"+path, payload)
	if err != nil {
		return nil, fmt.Errorf("make the request: %w", err)
	}
	req.Header.Set(NamespaceHeader, strconv.FormatUint(c.namespace, 10))
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, c.connectProblem(ctx, method, err)
	}
	if resp.StatusCode/100 == 2 {
		return resp, nil
	}
	defer resp.Body.Close()
	return nil, readError(resp)
}

func readError(resp *http.Response) error {
	var e ErrorBody
	if err := json.NewDecoder(resp.Body).Decode(&e); err != nil || len(e.Problems) == 0 {
		return &agg.Problem{Code: CodeInternal, Rule: "the daemon answered " + resp.Status, Remedy: "use a yoke and a yoked of the same release"}
	}
	return e.Problems
}
