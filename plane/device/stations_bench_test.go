package device

import (
	"testing"

	"github.com/yokelag/yoke/internal/nstest"
)

// What lies between a failover and its first announcement.
func BenchmarkStations(b *testing.B) {
	nstest.Require(b, "root", "veth")
	ns := nstest.New(b)
	ns.Do(func() {
		p, err := Ensure(Options{Name: "bond0"})
		if err != nil {
			b.Fatal(err)
		}
		defer p.Delete()
		for b.Loop() {
			if _, err := Stations("bond0"); err != nil {
				b.Fatal(err)
			}
		}
	})
}
