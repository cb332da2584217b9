package daemon

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/control"
)

// peerKey is the context key of a connection's peer.
type peerKey struct{}

// withPeer notes which process is at the other end of a connection.
func withPeer(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, peerKey{}, peerPID(c))
}

// peerPID is the process that connected, 0 where the kernel does not tell or where it
// is outside of our process namespace.
func peerPID(c net.Conn) int {
	u, ok := c.(*net.UnixConn)
	if !ok {
		return 0
	}
	raw, err := u.SyscallConn()
	if err != nil {
		return 0
	}
	pid := 0
	err = raw.Control(func(fd uintptr) {
		if cred, err := unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED); err == nil {
			pid = int(cred.Pid)
		}
	})
	if err != nil {
		return 0
	}
	return pid
}

// checkNamespace refuses a client of another network namespace: the names it gives
// would mean other interfaces. /proc is believed where it may be read, since the header
// is only what the client says.
func (s *server) checkNamespace(r *http.Request) error {
	pid, _ := r.Context().Value(peerKey{}).(int)
	theirs := uint64(0)
	if pid != 0 {
		theirs = control.NamespaceOf(pid)
	}
	if theirs == 0 {
		claimed, err := strconv.ParseUint(r.Header.Get(control.NamespaceHeader), 10, 64)
		if err != nil || claimed == 0 {
			return &agg.Problem{Code: control.CodeBadRequest, Object: control.NamespaceHeader, Rule: "the header is missing, and /proc does not tell the client's network namespace",
				Remedy: fmt.Sprintf("send `%s: %d`, the inode of /proc/self/ns/net", control.NamespaceHeader, s.about.Namespace)}
		}
		theirs = claimed
	}
	if theirs == s.about.Namespace {
		return nil
	}
	return &agg.Problem{Code: control.CodeOtherNamespace, Object: s.about.Socket,
		Rule: fmt.Sprintf("serves network namespace %d (yoked is process %d), and you are in %d", s.about.Namespace, s.about.PID, theirs),
		Remedy: fmt.Sprintf("for yours, start a yoked of its own, `sudo yoked --socket DIR/yoke.sock --state-dir DIR`, and then `yoke ... --socket DIR/yoke.sock`; for that one `sudo nsenter --net=/proc/%d/ns/net yoke ... --socket %s`",
			s.about.PID, s.about.Socket)}
}
