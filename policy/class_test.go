package policy

import (
	"testing"

	"github.com/yokelag/yoke/agg"
)

func TestClassesOf(t *testing.T) {
	const group = ",dmac=01:00:5e:00:00:16"
	v6 := "src=fe80::1,dst=fe80::2"
	solicitation := flow(t, v6+",proto=58").AppendTo(nil, nil)
	solicitation[54] = 135
	for _, c := range []struct {
		frame []byte
		want  agg.FrameClass
	}{
		{flow(t, "src=192.0.2.1,dst=192.0.2.2,dport=1").AppendTo(nil, nil), 0},
		{flow(t, "src=192.0.2.1,dst=224.0.0.22,proto=2"+group).AppendTo(nil, nil), agg.ClassIGMP | agg.ClassGroup},
		{flow(t, v6+",proto=58").AppendTo(nil, nil), 0},
		{solicitation, agg.ClassNeighbor},
		{solicitation[:54], 0},
		{flow(t, "type=0x0806,dmac=ff:ff:ff:ff:ff:ff").AppendTo(nil, nil), agg.ClassARP | agg.ClassNeighbor | agg.ClassNotIP | agg.ClassGroup},
		{flow(t, "type=0x8809,dmac=01:80:c2:00:00:02").AppendTo(nil, nil), agg.ClassSlow | agg.ClassNotIP | agg.ClassGroup},
		{flow(t, "src=192.0.2.1,dst=192.0.2.2,proto=2,vlan=7").AppendTo(nil, nil), agg.ClassNotIP},
		{[]byte{1}, 0},
	} {
		if got := ClassesOf(c.frame); got != c.want {
			t.Errorf("%x: %b, want %b", c.frame, got, c.want)
		}
	}
}
