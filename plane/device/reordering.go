package device

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/yokelag/yoke/internal/iface"
)

// TCPReordering reads net.ipv4.tcp_reordering where the aggregate's device is: by how many
// segments TCP there believes in another order before it believes in a loss. It is 0 where
// the aggregate has no device.
func TCPReordering(aggregate string) (int, error) {
	p, found, err := Find(aggregate)
	if err != nil {
		return 0, err
	}
	if !found {
		if _, err := iface.ByName(aggregate, iface.Here); err != nil {
			return 0, nil
		}
		return tcpReordering()
	}
	defer p.Close()
	var out int
	read := func() (err error) {
		out, err = tcpReordering()
		return err
	}
	err = p.do("read net.ipv4.tcp_reordering for", func() error { return p.atOuter(read) })
	return out, err
}

// tcpReordering reads the setting of the calling thread's namespace.
func tcpReordering() (int, error) {
	text, err := os.ReadFile("/proc/sys/net/ipv4/tcp_reordering")
	if err != nil {
		return 0, fmt.Errorf("read sysctl: %w", err)
	}
	return strconv.Atoi(strings.TrimSpace(string(text)))
}
