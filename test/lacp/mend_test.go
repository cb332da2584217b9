package lacp

import (
	"strings"
	"testing"
	"time"

	"github.com/yokelag/yoke/internal/nstest"
)

// Somebody takes what speaks for a dead daemon off a port: the daemon puts it back.
func TestWhatSpeaksIsPutBack(t *testing.T) {
	a, b := newPair(t, "ebpf", 2, "lacp_rate=fast")
	settle(t, a, b)
	nstest.Command(t, a.Here, "tc", "filter", "del", "dev", "eth1", "ingress", "pref", answerPref(t, a, "eth1"))
	nstest.Eventually(t, 20*time.Second, func() bool {
		return strings.Contains(nstest.Command(t, a.Here, "tc", "filter", "show", "dev", "eth1", "ingress"), "yoke-answer")
	}, "what speaks to be back; the daemon's log:\n%s", a.Log)
	nstest.Eventually(t, 5*time.Second, func() bool { return strings.Contains(a.Log.String(), "cause=keep-alive-mended") }, "the event")
}
