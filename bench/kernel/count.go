package main

import (
	"fmt"
	"slices"
	"time"
)

const (
	// windowBatches is the length of one reading, short beside the timer's ticks: most
	// readings have none of them.
	windowBatches = 4
	// windows is how many readings make one figure.
	windows = 41
	// warmUp is how many batches fill the caches before.
	warmUp = 32
)

// figure is what a frame costs, with the readings that say so.
type figure struct {
	// Instructions a frame: the median of the readings.
	Instructions float64 `json:"instructions"`
	// Readings are instructions for FramesPerReading frames each.
	Readings         []int64 `json:"readings"`
	FramesPerReading int     `json:"frames_per_reading"`
}

// count sends frames and counts all that the machine does until each is dropped at its
// end, which is in the same thread. arrived tells how many were.
func count(s *sender, perFrame int, arrived func() (int, error)) (figure, error) {
	f := figure{FramesPerReading: windowBatches * batch}
	before, err := arrived()
	if err != nil {
		return f, err
	}
	if err := s.send(warmUp); err != nil {
		return f, err
	}
	readings := make([]int64, windows)
	for i := range readings {
		start := now()
		if err := s.send(windowBatches); err != nil {
			return f, err
		}
		readings[i] = int64((now() - start) / perInstruction)
	}
	after, err := arrived()
	if err != nil {
		return f, err
	}
	f.Readings = readings
	f.Instructions = float64(median(readings)) / float64(f.FramesPerReading)
	want := (warmUp + windows*windowBatches) * batch * perFrame
	if after-before < want {
		return f, fmt.Errorf("of %d frames only %d arrived", want, after-before)
	}
	return f, nil
}

// pause is how long a batch has to pass through another process; the machine jumps over
// what is left of it.
const pause = 20 * time.Millisecond

// pacedBatches is how many batches make one reading of countPaced, pacedReadings how many
// readings a figure.
const (
	pacedBatches  = 16
	pacedReadings = 31
)

// countPaced is count for aggregates that move frames in another process: a batch, and
// time for it to pass. It counts what the processor did and not what it waited, less what
// it does in the same time without frames.
func countPaced(s *sender, arrived func() (int, error)) (figure, error) {
	f := figure{FramesPerReading: pacedBatches * batch}
	before, err := arrived()
	if err != nil {
		return f, err
	}
	if _, err := busy(s, 1); err != nil {
		return f, err
	}
	for range pacedReadings {
		with, err := busy(s, 1)
		if err != nil {
			return f, err
		}
		without, err := busy(s, 0)
		if err != nil {
			return f, err
		}
		f.Readings = append(f.Readings, int64((with-without)/perInstruction))
	}
	after, err := arrived()
	if err != nil {
		return f, err
	}
	f.Instructions = float64(median(f.Readings)) / float64(f.FramesPerReading)
	if want := (pacedReadings + 1) * pacedBatches * batch; after-before < want {
		return f, fmt.Errorf("of %d frames only %d arrived", want, after-before)
	}
	return f, nil
}

// busy is how long the processor worked while so many batches were sent in each pause.
func busy(s *sender, batches int) (time.Duration, error) {
	waited, err := idle()
	if err != nil {
		return 0, err
	}
	start := now()
	for range pacedBatches {
		if err := s.send(batches); err != nil {
			return 0, err
		}
		sleep(pause)
	}
	took := now() - start
	more, err := idle()
	return took - (more - waited), err
}

func median[T int64 | float64 | time.Duration](list []T) T {
	s := slices.Sorted(slices.Values(list))
	return s[len(s)/2]
}
