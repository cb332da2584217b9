package team

import (
	"os"
	"slices"
	"testing"
)

// Where teamd notes its process, whoever started it.
func TestPIDFilesOfTeamd(t *testing.T) {
	want := []string{"/run/teamd/team0.pid", "/run/teamd-team0.pid"}
	if got := pidFiles("/run", "team0"); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if isTeamd(os.Getpid()) {
		t.Error("this test is no teamd")
	}
}
