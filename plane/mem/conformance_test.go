package mem_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/plane/mem"
	"github.com/yokelag/yoke/plane/planetest"
)

type clock struct{}

func (clock) Now() agg.Instant { return agg.Instant(time.Now().UnixNano()) }

type harness struct {
	w     *mem.World
	plane *mem.Plane
	ports []string
}

func (h *harness) Open(*testing.T) planetest.Plane {
	h.plane = mem.Open(h.w, "bond0")
	return h.plane
}

func (h *harness) Link(_ *testing.T, port string) agg.LinkFacts { return h.w.Link(port) }

func (h *harness) SetCarrier(_ *testing.T, port string, up bool) { h.w.SetCarrier(port, up) }

func (h *harness) Delete(_ *testing.T, port string) { h.w.DeleteLink(port) }

func (h *harness) Create(_ *testing.T, port string) { h.w.AddLink(port) }

func (h *harness) Send(_ *testing.T, frames [][]byte) [][]string {
	out := make([][]string, len(frames))
	for i, f := range frames {
		out[i] = h.plane.Send(f)
	}
	return out
}

func (h *harness) Receive(_ *testing.T, port string, frames [][]byte) int {
	n := 0
	for _, f := range frames {
		if h.plane.Receive(port, f) {
			n++
		}
	}
	return n
}

func (h *harness) Snapshot(*testing.T) string {
	text := ""
	for _, p := range h.ports {
		text += fmt.Sprintf("%+v\n", h.w.Link(p))
	}
	return text
}

func TestConformance(t *testing.T) {
	planetest.Run(t, func(_ *testing.T, ports []string) planetest.Harness {
		h := &harness{w: mem.NewWorld(clock{}), ports: ports}
		for _, p := range ports {
			h.w.AddLink(p)
		}
		return h
	})
}
