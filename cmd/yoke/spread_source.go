package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/capture"
)

// The bounds of how long traffic is watched.
const (
	watchLeast = 100 * time.Millisecond
	watchMost  = 5 * time.Minute
)

// framesOf calls each with the frames of a file, or where source is a time, with those that
// the aggregate sends from now on.
func (a *app) framesOf(ctx context.Context, s agg.Status, source string, each func(frame []byte, length int)) error {
	if d, err := time.ParseDuration(source); err == nil {
		return a.liveFrames(ctx, s, d, each)
	}
	f, err := os.Open(source)
	if err != nil {
		return fmt.Errorf("read a capture: %w", err)
	}
	defer f.Close()
	return interruptible(ctx, func() error { return capture.Frames(f, each) })
}

// liveFrames has yoked watch the aggregate, because it knows the kernel.
func (a *app) liveFrames(ctx context.Context, s agg.Status, d time.Duration, each func(frame []byte, length int)) error {
	if d < watchLeast || d > watchMost {
		return usageError{fmt.Errorf("--spread %v: traffic is watched for %v to %v", d, watchLeast, watchMost)}
	}
	if s.Plan.FastPath {
		return &agg.Problem{Code: "conflict", Object: s.Name, Rule: "with fast_path=on nobody sees what it sends", Remedy: "`yoke set " + s.Name + " fast_path=off`, for as long as it takes"}
	}
	path, err := findYoked()
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, path, "frames", s.Name, d.String())
	var says bytes.Buffer
	cmd.Args[0], cmd.Stderr = "yoke", &says // it complains by the name that was typed
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return fmt.Errorf("run %s frames: %w", path, err)
	}
	read := capture.Frames(out, each)
	ended := cmd.Wait()
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case ended != nil && says.Len() > 0:
		fmt.Fprint(a.err, says.String())
		return quietExit(exitFailed)
	case ended != nil:
		return fmt.Errorf("run %s frames: %w", path, ended)
	}
	return read
}
