package lag

import (
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// TestPlantedBugs builds package lacp with a bug, for each that can be planted, and wants
// the seeds to find it.
func TestPlantedBugs(t *testing.T) {
	failure := regexp.MustCompile(`seed \d+: .*`)
	for _, bug := range []string{"match", "limit", "moved"} {
		t.Run(bug, func(t *testing.T) {
			cmd := exec.Command("go", "test", "-count=1", "-tags", "planted_"+bug, "-run", "^TestSeeds$", ".")
			out, err := cmd.CombinedOutput()
			found := failure.FindString(string(out))
			if err == nil || found == "" {
				t.Fatalf("planted, and not found:\n%s", out)
			}
			t.Logf("planted bug %q found: %s", bug, strings.TrimSpace(found))
		})
	}
}
