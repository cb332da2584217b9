package lab

import (
	"slices"
	"testing"
	"time"
)

// everyMillisecond is a stream of n frames, sent and received at once.
func everyMillisecond(n int) (sent []int64, arrivals []Arrival) {
	for i := range n {
		at := int64(i+1) * int64(time.Millisecond)
		sent = append(sent, at)
		arrivals = append(arrivals, Arrival{Seq: uint64(i), At: at})
	}
	return sent, arrivals
}

func TestMeasureCounts(t *testing.T) {
	sent, a := everyMillisecond(100)
	a[10], a[11] = a[11], a[10]
	a[10].At, a[11].At = a[11].At, a[10].At
	a = append(a, a[50])
	a[99-9] = Arrival{Seq: 1 << 40} // not of this run
	m := measure(sent, a, Probe{Flows: 1}, nil)
	if m.Sent != 100 || m.Received != 99 || m.Lost != 1 || m.Duplicates != 1 || m.Reordered != 1 {
		t.Errorf("%+v", m)
	}
}

func TestMeasureOrderIsByFlow(t *testing.T) {
	sent, a := everyMillisecond(100)
	a[10], a[11] = a[11], a[10]
	if m := measure(sent, a, Probe{Flows: 2}, nil); m.Reordered != 0 {
		t.Errorf("frames of different flows count as reordered: %+v", m)
	}
}

func TestOutageEndsWithTheFirstFrameThatGetsThrough(t *testing.T) {
	sent, a := everyMillisecond(200)
	a = append(a[:100], a[107:]...) // frames 100 to 106, sent at 101 to 107 ms
	fault := int64(100500 * time.Microsecond)
	m := measure(sent, a, Probe{Flows: 1}, []int64{fault})
	o := m.Outages[0]
	if o.Lost != 7 || o.Failover != 7500*time.Microsecond || o.Open {
		t.Errorf("%+v", o)
	}
	if m.LongestGap != 8*time.Millisecond {
		t.Errorf("longest gap %v", m.LongestGap)
	}
}

func TestOutageWithoutLossIsZero(t *testing.T) {
	sent, a := everyMillisecond(200)
	if o := measure(sent, a, Probe{Flows: 1}, []int64{1e8}).Outages[0]; o != (Outage{}) {
		t.Errorf("%+v", o)
	}
}

func TestOutageThatDoesNotEndIsOpen(t *testing.T) {
	sent, a := everyMillisecond(200)
	m := measure(sent, a[:100], Probe{Flows: 1}, []int64{1e8})
	if o := m.Outages[0]; !o.Open || o.Lost != 100 {
		t.Errorf("%+v", o)
	}
}

func TestOutagesAreKeptApart(t *testing.T) {
	sent, a := everyMillisecond(300)
	a = append(append(append([]Arrival(nil), a[:100]...), a[105:200]...), a[202:]...)
	m := measure(sent, a, Probe{Flows: 1}, []int64{1e8, 2e8})
	if m.Outages[0].Lost != 5 || m.Outages[1].Lost != 2 {
		t.Errorf("%+v", m.Outages)
	}
}

func TestStrayLossIsNoOutageSinceTheFault(t *testing.T) {
	sent, a := everyMillisecond(200)
	a = append(a[:150], a[151:]...) // frame 150, sent 50 ms after the fault
	if o := measure(sent, a, Probe{Flows: 1}, []int64{1e8}).Outages[0]; o.Lost != 1 || o.Failover != time.Millisecond {
		t.Errorf("%+v", o)
	}
}

// Flows in bursts pause while others have their turn.
func TestFlowsInBursts(t *testing.T) {
	p := Probe{Flows: 6, Burst: 3, AtOnce: 2}
	var got []int
	for seq := range uint64(24) {
		got = append(got, p.flowOf(seq))
	}
	if want := []int{0, 1, 0, 1, 0, 1, 2, 3, 2, 3, 2, 3, 4, 5, 4, 5, 4, 5, 0, 1, 0, 1, 0, 1}; !slices.Equal(got, want) {
		t.Errorf("got %v", got)
	}
}
