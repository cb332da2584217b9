package proc

import (
	"os"
	"testing"

	"github.com/yokelag/yoke/agg"
)

// The texts in testdata are a bonding driver's own, of two ports p0 and p1.
func TestBondingsOwnText(t *testing.T) {
	for _, c := range []struct {
		file, active string
		options      agg.Settings
		down         bool
	}{
		{"active-backup", "p0", agg.Settings{"mode": "active-backup", "miimon": "100ms"}, false},
		{"active-backup-down", "p1", agg.Settings{"mode": "active-backup", "miimon": "100ms"}, true},
		{"balance-xor", "", agg.Settings{"mode": "balance-xor", "miimon": "100ms", "xmit_hash_policy": "layer2"}, false},
		{"balance-rr", "", agg.Settings{"mode": "balance-rr", "miimon": "100ms"}, false},
		{"broadcast", "", agg.Settings{"mode": "broadcast", "miimon": "100ms"}, false},
	} {
		want, err := os.ReadFile("testdata/" + c.file + ".txt")
		if err != nil {
			t.Fatal(err)
		}
		s := agg.Status{Name: "bond0", Active: c.active, Spec: agg.Spec{Name: "bond0", Options: c.options, Ports: []agg.PortSpec{{Name: "p0"}, {Name: "p1"}}}}
		s.Device.Carrier = true
		x := Extra{Driver: "v6.1.0-56-amd64", Permanent: map[string]agg.MAC{"p0": {2, 0, 0, 0, 1, 0}}}
		for i, name := range []string{"p0", "p1"} {
			p := agg.PortStatus{Name: name, Gates: []agg.Gate{{Name: agg.GateWatch, OK: true, Reason: "link-up"}}}
			p.Facts.Speed, p.Facts.FullDuplex, p.Facts.MAC = 10000, true, agg.MAC{2, 0, 0, 0, 1, byte(i)}
			if c.down && i == 0 {
				p.Gates[0], p.Failures = agg.Gate{Name: agg.GateWatch, Reason: "no-carrier"}, 1
			}
			s.Ports = append(s.Ports, p)
		}
		if got := Bonding(s, x); got != string(want) {
			t.Errorf("%s: got\n%s\nwant\n%s", c.file, got, want)
		}
	}
}
