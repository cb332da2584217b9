package lacp

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// What the daemon kept of a port that was cut, of one that was removed and of its own
// beginning is a pcapng, and its replay does the same bit for bit.
func TestCaptureOfRealFramesReplays(t *testing.T) {
	a, b := newPair(t, "ebpf", 2, "lacp_rate=fast")
	settle(t, a, b)
	a.Here.SetDown("eth1")
	b.WaitCarrying(1)
	a.Here.SetUp("eth1")
	a.WaitCarrying(2)
	a.Must("remove", "bond0", "eth2")
	b.WaitCarrying(1)
	file := filepath.Join(t.TempDir(), "bond0.pcapng")
	a.Must("capture", "bond0", "-w", file)
	content, err := os.ReadFile(file)
	if err != nil || !bytes.HasPrefix(content, []byte{0x0a, 0x0d, 0x0d, 0x0a}) {
		t.Fatalf("not a pcapng: %v, %x", err, content[:min(len(content), 16)])
	}
	out, err := exec.Command(filepath.Join(a.Bin, "yoke"), "replay", file).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "bit for bit") {
		t.Fatalf("replay: %v\n%s", err, out)
	}
	for _, want := range []string{"eth1 loses its link", "MX-08", "drain"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("the replay tells nothing of %q:\n%s", want, out)
		}
	}
}
