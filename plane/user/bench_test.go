package user_test

import (
	"encoding/json"
	"os/exec"
	"testing"
	"time"

	"github.com/yokelag/yoke/internal/nstest"
)

// BenchmarkTCP compares TCP through the aggregate with a bare veth pair in the same run:
// Gbit/s of both, and their ratio. It needs iperf3.
func BenchmarkTCP(b *testing.B) {
	for name, args := range map[string][]string{
		"send": nil, "receive": {"-R"}, "send-64-flows": {"-P", "64"}, "both-64-flows": {"-P", "32", "--bidir"},
	} {
		b.Run(name, func(b *testing.B) { compareTCP(b, args) })
	}
}

func compareTCP(b *testing.B, args []string) {
	nstest.Require(b, "program:iperf3")
	r := newRig(b)
	r.up(r.plan(0))
	r.host.Veth("bare0", r.peer, "bare1")
	r.host.AddAddr("bare0", "198.51.100.1/24")
	r.peer.AddAddr("bare1", "198.51.100.2/24")
	r.host.MustPing("192.0.2.2")
	var bare, through float64
	for b.Loop() {
		bare += iperf(b, r, "198.51.100.2", args)
		through += iperf(b, r, "192.0.2.2", args)
	}
	b.ReportMetric(bare/float64(b.N), "bare-Gbit/s")
	b.ReportMetric(through/float64(b.N), "Gbit/s")
	b.ReportMetric(through/bare, "of-bare")
}

// iperf runs for two seconds and returns what arrived, both directions together.
func iperf(b *testing.B, r *rig, server string, args []string) float64 {
	b.Helper()
	r.peer.Start(exec.Command("iperf3", "-s", "-1", "-B", server))
	client := append([]string{"-J", "-t", "2", "-c", server}, args...)
	var result report
	nstest.Eventually(b, patience, func() bool {
		result = report{}
		out, err := r.host.Output("iperf3", client...)
		return err == nil && json.Unmarshal([]byte(out), &result) == nil && result.Error == ""
	}, "iperf3 to %s", server) // the server may not listen at first
	return (result.End.Sum.Rate + result.End.Reverse.Rate) / 1e9
}

// report is what is wanted of iperf3's JSON.
type report struct {
	Error string `json:"error"` // the exit status does not tell
	End   struct {
		Sum     sum `json:"sum_received"`
		Reverse sum `json:"sum_received_bidir_reverse"`
	} `json:"end"`
}

type sum struct {
	Rate float64 `json:"bits_per_second"`
}

const patience = 20 * time.Second
