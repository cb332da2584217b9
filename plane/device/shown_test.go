package device

import (
	"testing"

	"github.com/yokelag/yoke/internal/nstest"
)

func TestShown(t *testing.T) {
	for text, want := range map[string]string{
		"bond0": "bond0", "eth0.7@x": "eth0.7@x", "Ü": "Ü", "a b": "a b",
		"\x1b[2J": `"\x1b[2J"`, "a\u202eb": `"a\u202eb"`, "\xff": `"\xff"`, "a\nb": `"a\nb"`,
	} {
		if got := shown(text); got != want {
			t.Errorf("%q is shown as %s, want %s", text, got, want)
		}
	}
}

// A device that was given away has the name that somebody else gave it.
func TestNameOfADeviceElsewhere(t *testing.T) {
	ns, other := newNS(t), newNS(t)
	p := ensured(t, ns, Options{Name: "bond0"})
	if err := ns.Handle().LinkSetNsFd(ns.Link("bond0"), other.FD()); err != nil {
		t.Fatal(err)
	}
	const name, want = "b\x1b[2J", `"b\x1b[2J"`
	nstest.Command(t, other, "ip", "link", "set", "bond0", "name", name, "up")
	if got := facts(t, p).Name; got != want {
		t.Errorf("the device is called %s", got)
	}
	if got := stations(t, ns, "bond0"); len(got) != 1 || got[0].Name != want {
		t.Errorf("stations: %+v", got)
	}
}
