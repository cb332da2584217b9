package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
)

// benchLine is a line of `go test -bench` about a program.
var benchLine = regexp.MustCompile(`(?m)^BenchmarkProgram/(\S+?)(?:-\d+)?\s+\d+\s+([\d.]+) ns/frame`)

// measurePrograms runs the benchmarks of plane ebpf, which have the kernel run each
// program on a frame (BPF_PROG_TEST_RUN) many times.
func measurePrograms(ctx context.Context, _ settings, rep *report) error {
	out, err := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench", "^BenchmarkProgram$", "./plane/ebpf").CombinedOutput()
	if err != nil {
		return fmt.Errorf("benchmarks of plane ebpf: %w: %s", err, out)
	}
	lines := benchLine.FindAllStringSubmatch(string(out), -1)
	if len(lines) == 0 {
		return errors.New("plane ebpf has no benchmarks")
	}
	for _, l := range lines {
		ns, err := strconv.ParseFloat(l[2], 64)
		if err != nil {
			return err
		}
		rep.add(row{Measure: "BPF program, BPF_PROG_TEST_RUN", Case: l[1], Value: ns, Unit: "ns", Goal: "<= 150", Note: "with the clock of the kernel's statistics, some 40 ns, but for hop and rx"})
	}
	return nil
}
