package device

import (
	"testing"

	"github.com/yokelag/yoke/internal/nstest"
)

// The setting is that of the namespace in which the device is.
func TestTCPReorderingIsThatOfTheDevice(t *testing.T) {
	ports, other := newNS(t), newNS(t)
	set := func(ns *nstest.NS, value string) {
		nstest.Command(t, ns, "sh", "-c", "echo "+value+" > /proc/sys/net/ipv4/tcp_reordering")
	}
	set(ports, "7")
	set(other, "31")
	read := func(want int) {
		t.Helper()
		var got int
		ports.Do(func() {
			var err error
			if got, err = TCPReordering("bond0"); err != nil {
				t.Error(err)
			}
		})
		if got != want {
			t.Errorf("got %d, want %d", got, want)
		}
	}
	read(0)
	ensured(t, ports, Options{Name: "bond0"})
	read(7)
	if err := ports.Handle().LinkSetNsFd(ports.Link("bond0"), other.FD()); err != nil {
		t.Fatal(err)
	}
	read(31)
}
