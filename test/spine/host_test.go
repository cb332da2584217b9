package spine

import (
	"os"
	"testing"

	"github.com/yokelag/yoke/test/rig"
)

func TestMain(m *testing.M) { os.Exit(rig.Main(m)) }

// host is a rig with what the tests of this package ask of it.
type host struct{ *rig.Rig }

func newHost(t *testing.T, features ...string) *host {
	t.Helper()
	return &host{rig.New(t, features...)}
}

// emptyHost is one without any interface yet.
func emptyHost(t *testing.T, features ...string) *host {
	t.Helper()
	return &host{rig.NewHost(t, features...)}
}
