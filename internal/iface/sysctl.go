package iface

import (
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

// SetSysctl writes a setting of an interface.
func SetSysctl(family, name, key, value string) error {
	if err := os.WriteFile(sysctlFile(family, name, key), []byte(value), 0o644); err != nil {
		return fmt.Errorf("write sysctl: %w", err)
	}
	return nil
}

func sysctlFile(family, name, key string) string {
	return filepath.Join(confDir, family, "conf", name, key)
}
