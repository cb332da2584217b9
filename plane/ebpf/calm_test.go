package ebpf

import (
	"testing"
	"time"

	"github.com/yokelag/yoke/internal/nstest"
)

// No filter becomes a link soon after a port was hooked: the kernel holds its lock
// for that through a grace period, and other ports that come wait for it.
func TestFiltersStayWhilePortsCome(t *testing.T) {
	nstest.Require(t, "root", "bpf", "clsact", "tcx", "veth", "bridge")
	r := newRig(t, Options{})
	r.plane.calm = time.Hour
	r.apply(r.plan(0))
	for range looks {
		r.observe()
	}
	if links, filters := r.linked(); links != 0 || filters != 6 {
		t.Errorf("%d links and %d filters", links, filters)
	}
	r.plane.calm = 0
	r.observe()
	if links, filters := r.linked(); links != 1 || filters != 5 {
		t.Errorf("after one look in calm: %d links and %d filters", links, filters)
	}
}
