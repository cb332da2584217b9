package daemon

import (
	"log/slog"
	"time"
)

// Options say what a daemon serves and where.
type Options struct {
	// Socket is the path of the API's UNIX socket.
	Socket string
	// StateDir holds saved state and the lock.
	StateDir string
	// Config is a file, or a directory of *.yaml files; one that is absent is empty.
	Config string
	// File is the one configuration of `yoked -f`; Config is not read then.
	File string
	// Dry names the interfaces of a world in memory; nil takes the kernel's.
	Dry []string
	// Log gets structured lines.
	Log *slog.Logger
}

// group is whose members may use the socket.
const group = "yoke"

// Bounds.
const (
	// readyWithin is how long a new aggregate's first plan may take.
	readyWithin = 20 * time.Second
	// carriesWithin is how long a move waits for a port to carry on the new plane, by when LACP
	// has agreed with a partner that answers; carryLook is how often it looks.
	carriesWithin = 10 * time.Second
	carryLook     = 10 * time.Millisecond
	// stopWithin is how long requests in flight may take when the daemon ends.
	stopWithin = 3 * time.Second
	// headerWithin is how long a client may take to say what it asks for.
	headerWithin = 10 * time.Second
	// lockWithin is how long a dying daemon may take to let go of its state.
	lockWithin = 2 * time.Second
	// maxBody is the largest request read, in bytes: a configuration, as JSON has it.
	maxBody = 2 * maxFile
	// maxFile is the largest configuration file read, in bytes.
	maxFile = 4 << 20
)
