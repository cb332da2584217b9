package policy

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/yokelag/yoke/agg"
)

func portsNamed(n int) []TablePort {
	out := make([]TablePort, n)
	for i := range out {
		out[i] = TablePort{Name: fmt.Sprintf("eth%d", i), Weight: 1, Usable: true}
	}
	return out
}

// somePorts draws up to eight ports with weights and at least one usable.
func somePorts(t *rapid.T) []TablePort {
	ports := portsNamed(rapid.IntRange(1, 8).Draw(t, "n"))
	for i := range ports {
		ports[i].Name = rapid.StringMatching(`(eth|ens|wan)[0-9]{1,2}`).Draw(t, "name") + fmt.Sprint("x", i)
		ports[i].Weight = rapid.SampledFrom([]uint32{1, 1, 2, 3, 10, 40, 100, 1000, 2500, 10000}).Draw(t, "weight")
		ports[i].Usable = rapid.Bool().Draw(t, "usable")
	}
	ports[rapid.IntRange(0, len(ports)-1).Draw(t, "up")].Usable = true
	return ports
}

func shares(table []agg.Choice, n int) []int {
	out := make([]int, n)
	for _, c := range table {
		out[c.First]++
	}
	return out
}

// ideal is the exact share of a port.
func ideal(ports []TablePort, i int) float64 {
	sum := int64(0)
	for _, p := range ports {
		if p.Usable {
			sum += weightOf(p)
		}
	}
	if !ports[i].Usable {
		return 0
	}
	return float64(agg.NumBuckets) * float64(weightOf(ports[i])) / float64(sum)
}

func TestTableSharesByWeightToOneBucket(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ports := somePorts(t)
		for i := range ports {
			ports[i].Usable = true
		}
		for i, got := range shares(Table(ports, nil), len(ports)) {
			if want := ideal(ports, i); math.Abs(float64(got)-want) >= 1 {
				t.Fatalf("port %d has %d buckets, its share is %.2f of %+v", i, got, want, ports)
			}
		}
	})
}

// A port never gives up buckets because another goes, so each loss adds its rounding, and
// shares out that of the ports lost before.
func TestTableSharesByWeightWithPortsDown(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ports := somePorts(t)
		down := len(ports) - usableOf(ports).count()
		for i, got := range shares(Table(ports, nil), len(ports)) {
			if want := ideal(ports, i); math.Abs(float64(got)-want) > float64(1+2*down) {
				t.Fatalf("port %d has %d buckets, its share is %.2f of %+v", i, got, want, ports)
			}
		}
	})
}

// With equal weights, which is the usual case, that hardly shows.
func TestTableEqualSharesForEverySetOfPortsDown(t *testing.T) {
	for n := 2; n <= 8; n++ {
		worst := 0.0
		for mask := range 1 << n {
			ports := portsNamed(n)
			for i := range ports {
				ports[i].Usable = mask>>i&1 == 0
			}
			for i, got := range shares(Table(ports, nil), n) {
				worst = max(worst, math.Abs(float64(got)-ideal(ports, i)))
			}
		}
		t.Logf("%d ports: at worst %.2f buckets from the share", n, worst)
		if limit := map[bool]float64{false: 1, true: 4}[n == 8]; worst > limit {
			t.Errorf("%d ports: %.2f buckets from the share", n, worst)
		}
	}
}

func TestTableMovesOnlyTheBucketsOfALostPort(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ports := somePorts(t)
		before := Table(ports, nil)
		var usable []int
		for i, p := range ports {
			if p.Usable {
				usable = append(usable, i)
			}
		}
		lost := rapid.SampledFrom(usable).Draw(t, "lost")
		ports[lost].Usable = false
		after := Table(ports, nil)
		for b := range after {
			switch {
			case before[b].First != lost && after[b].First != before[b].First:
				t.Fatalf("bucket %d moved from %d to %d, but %d was lost", b, before[b].First, after[b].First, lost)
			case before[b].First == lost && after[b].First != before[b].Second:
				t.Fatalf("bucket %d went to %d, its second choice was %d", b, after[b].First, before[b].Second)
			}
		}
		ports[lost].Usable = true
		if !slices.Equal(before, Table(ports, nil)) {
			t.Fatal("the returning port did not get exactly its buckets back")
		}
	})
}

func TestTableOverlay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ports := somePorts(t)
		moves := Overlay{}
		for range rapid.IntRange(0, 20).Draw(t, "moves") {
			moves[rapid.IntRange(0, 255).Draw(t, "bucket")] = ports[rapid.IntRange(0, len(ports)-1).Draw(t, "to")].Name
		}
		plain, moved := Table(ports, nil), Table(ports, moves)
		for b, c := range moved {
			to := slices.IndexFunc(ports, func(p TablePort) bool { return p.Name == moves[b] })
			switch {
			case to < 0 || !ports[to].Usable:
				if c != plain[b] {
					t.Fatalf("bucket %d is %+v without a move that counts, was %+v", b, c, plain[b])
				}
			case c.First != to:
				t.Fatalf("bucket %d was moved to %d and is on %d", b, to, c.First)
			case plain[b].First != to && c.Second != plain[b].First:
				t.Fatalf("bucket %d would not go home: %+v, home %+v", b, c, plain[b])
			}
		}
	})
}

func TestTableSecondChoiceIsAnotherUsablePort(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ports := somePorts(t)
		n := usableOf(ports).count()
		for b, c := range append(Table(ports, nil), ModuloTable(ports)...) {
			alone := n == 1 && c.Second == agg.NoPort
			if !ports[c.First].Usable || !alone && (c.Second == c.First || c.Second < 0 || !ports[c.Second].Usable) {
				t.Fatalf("entry %d is %+v of %+v", b, c, ports)
			}
		}
	})
}

// An appended port takes its quota and no more moves; so removing the last port moves
// its buckets only.
func TestTableAppendingAPortMovesItsQuotaOnly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ports := somePorts(t)
		for i := range ports {
			ports[i].Usable, ports[i].Weight = true, 1
		}
		before := Table(ports, nil)
		after := Table(append(ports, TablePort{Name: "new", Weight: 1, Usable: true}), nil)
		moved := 0
		for b := range after {
			if after[b].First != before[b].First {
				moved++
			}
		}
		if quota := shares(after, len(ports)+1)[len(ports)]; moved != quota {
			t.Fatalf("%d buckets moved for a quota of %d", moved, quota)
		}
	})
}

// Removing a configured port from the middle moves its buckets and some more. The test
// holds the measured worst case: the numbers go up only on purpose.
func TestTableRemovingAPortFromTheMiddle(t *testing.T) {
	limit := []float64{3: 0.35, 4: 0.55, 5: 0.8, 6: 1, 7: 1.1, 8: 1.4}
	for n := 3; n <= 8; n++ {
		worst := 0.0
		for gone := range n - 1 {
			all := portsNamed(n)
			before := Table(all, nil)
			left := slices.Delete(slices.Clone(all), gone, gone+1)
			after := Table(left, nil)
			extra, own := 0, 0
			for b := range before {
				switch from := all[before[b].First].Name; {
				case from == all[gone].Name:
					own++
				case from != left[after[b].First].Name:
					extra++
				}
			}
			worst = max(worst, float64(extra)/float64(own))
		}
		t.Logf("%d ports: at worst %.2f other buckets move for each of the removed port's", n, worst)
		if worst > limit[n] {
			t.Errorf("%d ports: %.2f", n, worst)
		}
	}
}

// The table is part of what survives a daemon: a change of the algorithm moves flows on
// every host, so it shows here.
func TestTableIsWhatItWas(t *testing.T) {
	sum := uint32(0)
	for _, n := range []int{2, 3, 5, 8} {
		for b, c := range Table(portsNamed(n), nil) {
			sum = scramble(sum ^ uint32(b*64*64+c.First*64+c.Second+1))
		}
	}
	if want := uint32(0x389825c0); sum != want {
		t.Errorf("the tables changed: checksum 0x%08x, was 0x%08x", sum, want)
	}
}

func TestTableOfManyPorts(t *testing.T) {
	ports := portsNamed(agg.MaxPorts)
	for i := range ports {
		ports[i].Usable = i%16 == 3
	}
	for i, got := range shares(Table(ports, nil), len(ports)) {
		if ports[i].Usable && (got < 32 || got > 96) {
			t.Errorf("port %d has %d buckets of 256, four ports are usable", i, got)
		}
	}
}

func TestModuloTableIsTheUsablePortsInOrder(t *testing.T) {
	ports := portsNamed(4)
	ports[1].Usable = false
	want := []agg.Choice{{First: 0, Second: 2}, {First: 2, Second: 3}, {First: 3, Second: 0}}
	if got := ModuloTable(ports); !slices.Equal(got, want) {
		t.Errorf("got %v", got)
	}
	if Table([]TablePort{{Name: "a"}}, nil) != nil || ModuloTable([]TablePort{{Name: "a"}}) != nil {
		t.Error("a table without usable ports is not nil")
	}
}

func BenchmarkTable(b *testing.B) {
	for _, n := range []int{2, 4, 8, 64} {
		for _, down := range []int{0, n / 2} {
			ports := portsNamed(n)
			for i := range down {
				ports[i*2%n].Usable = false
			}
			b.Run(fmt.Sprintf("ports=%d/down=%d", n, down), func(b *testing.B) {
				for b.Loop() {
					Table(ports, nil)
				}
			})
		}
	}
}
