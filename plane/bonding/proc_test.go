package bonding

import (
	"os"
	"testing"

	"github.com/yokelag/yoke/agg"
)

// The kernel's own text, of four modes.
func TestParseProc(t *testing.T) {
	for mode, active := range map[string]string{"mode0-balance-rr": "", "mode1-active-backup": "p0", "mode4-802.3ad": "", "mode6-balance-alb": "p0"} {
		b, err := os.ReadFile("testdata/" + mode + ".proc.txt")
		if err != nil {
			t.Fatal(err)
		}
		p, err := ParseProc(string(b))
		if err != nil {
			t.Fatal(err)
		}
		if p.Fields["Currently Active Slave"] != active || p.Fields["MII Status"] != "up" || len(p.Ports) != 2 {
			t.Errorf("%s: %+v", mode, p)
			continue
		}
		for i, name := range []string{"p0", "p1"} {
			q := p.Ports[i]
			if q.Name != name || q.Fields["MII Status"] != "up" || q.Fields["Permanent HW addr"] != "02:00:00:00:01:0"+itoa(i) {
				t.Errorf("%s: %+v", mode, q)
			}
			if mode != "mode4-802.3ad" {
				continue
			}
			want := ProcSystem{Priority: 65535, MAC: agg.MAC{2, 0, 0, 0, 2, 0xee}, Key: 15, PortPriority: 255, Port: uint16(i + 1), State: 63}
			if q.Actor == nil || q.Partner == nil || *q.Partner != want || q.Actor.MAC == want.MAC {
				t.Errorf("%s: actor %+v, partner %+v", mode, q.Actor, q.Partner)
			}
		}
	}
	if _, err := ParseProc("nothing\n"); err == nil {
		t.Error("nothing was read as a bond")
	}
}
