package control

import "os"

// Version is the version of the contract, in paths and in every answer.
const Version = 1

// The paths. {name} is an aggregate and {port} a port.
const (
	PathDaemon     = "/v1/daemon"
	PathAggregates = "/v1/aggregates"
	PathAggregate  = "/v1/aggregates/{name}"
	PathOptions    = "/v1/aggregates/{name}/options"
	PathPorts      = "/v1/aggregates/{name}/ports"
	PathPort       = "/v1/aggregates/{name}/ports/{port}"
	PathExplain    = "/v1/aggregates/{name}/explain"
	PathReady      = "/v1/aggregates/{name}/ready"
	PathSave       = "/v1/aggregates/{name}/save"
	PathProc       = "/v1/aggregates/{name}/proc"
	PathCapture    = "/v1/aggregates/{name}/capture"
	PathApply      = "/v1/apply"
	PathConfirm    = "/v1/confirm"
	PathEvents     = "/v1/events"
	PathOpenAPI    = "/v1/openapi.json"
)

// The places of the daemon that serves a network namespace of its own choice, unless
// told otherwise.
const (
	DefaultSocket   = "/run/yoke/yoke.sock"
	DefaultStateDir = "/run/yoke"
	DefaultConfig   = "/etc/yoke"
)

// ExitServed is the exit code of `yoked inspect` where a daemon holds the state, so that
// the daemon is who to ask (EX_TEMPFAIL of sysexits.h).
const ExitServed = 75

// SocketVariable is the environment variable that names the socket.
const SocketVariable = "YOKE_SOCKET"

// StateDirVariable is the environment variable that names the state directory.
const StateDirVariable = "YOKE_STATE_DIR"

// SocketPath returns the socket to use: the flag's value, else YOKE_SOCKET, else
// DefaultSocket.
func SocketPath(flag string) string { return firstOf(flag, os.Getenv(SocketVariable), DefaultSocket) }

// StateDirPath returns the state directory to use: the flag's value, else
// YOKE_STATE_DIR, else DefaultStateDir.
func StateDirPath(flag string) string {
	return firstOf(flag, os.Getenv(StateDirVariable), DefaultStateDir)
}

func firstOf(words ...string) string {
	for _, w := range words {
		if w != "" {
			return w
		}
	}
	return ""
}
