package control

import (
	"context"
	"fmt"
	"io"
	"net/http"
)

// CaptureType is the content type of a pcapng.
const CaptureType = "application/x-pcapng"

// Capture copies the last steps of an aggregate's LACP to w, as a pcapng, and returns the
// number of bytes.
func (c *Client) Capture(ctx context.Context, name string, w io.Writer) (int64, error) {
	resp, err := c.send(ctx, http.MethodGet, fill(PathCapture, name), nil)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	n, err := io.Copy(w, resp.Body)
	if err != nil {
		return n, fmt.Errorf("copy the answer of %s: %w", c.socket, err)
	}
	return n, nil
}
