package bootclock

import (
	"os"
	"strconv"
	"strings"
	"testing"
)

func TestNowGrowsAndIsTheTimeSinceBoot(t *testing.T) {
	text, err := os.ReadFile("/proc/uptime")
	if err != nil {
		t.Fatal(err)
	}
	uptime, err := strconv.ParseFloat(strings.Fields(string(text))[0], 64)
	if err != nil {
		t.Fatal(err)
	}
	first := Now()
	if first < int64((uptime-1)*1e9) {
		t.Errorf("Now is %d ns, uptime was already %v s", first, uptime)
	}
	if second := Now(); second < first {
		t.Errorf("time went back from %d to %d", first, second)
	}
}

func TestBootIDIsStable(t *testing.T) {
	a, err := BootID()
	if err != nil {
		t.Fatal(err)
	}
	b, err := BootID()
	if err != nil || a != b || len(a) != 36 {
		t.Errorf("got %q and %q, %v", a, b, err)
	}
}
