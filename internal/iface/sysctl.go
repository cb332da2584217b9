package iface

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// confDir holds the sysctl files of the calling thread's namespace.
const confDir = "/proc/sys/net"

// Sysctl reads a setting of an interface: family "ipv6" and key "disable_ipv6" read
// /proc/sys/net/ipv6/conf/NAME/disable_ipv6. Where the kernel has no such family the
// error is fs.ErrNotExist.
func Sysctl(family, name, key string) (string, error) {
	b, err := os.ReadFile(sysctlFile(family, name, key))
	if err != nil {
		return "", fmt.Errorf("read sysctl: %w", err)
	}
	return strings.TrimSpace(string(b)), nil
}

// SetSysctl writes a setting of an interface. For some the kernel wants the lock that all
// changes of interfaces need, and does not wait for it: it starts the system call anew, over
// and over, for as long as others hold the lock. So a question that waits goes first.
func SetSysctl(family, name, key, value string) error {
	f, err := os.OpenFile(sysctlFile(family, name, key), os.O_WRONLY|os.O_TRUNC, 0)
	if err != nil {
		return fmt.Errorf("write sysctl: %w", err)
	}
	_, _ = ByName(name, Here) // what it says is of no interest
	if _, err := f.WriteString(value); err != nil {
		return fmt.Errorf("write sysctl: %w", errors.Join(err, f.Close()))
	}
	return f.Close()
}

func sysctlFile(family, name, key string) string {
	return filepath.Join(confDir, family, "conf", name, key)
}
