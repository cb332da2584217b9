package control

import (
	"fmt"
	"syscall"
)

// NamespaceHeader carries the inode of the client's network namespace.
const NamespaceHeader = "Yoke-Network-Namespace"

// OwnNamespace returns the inode of this thread's network namespace, 0 where /proc does
// not tell.
func OwnNamespace() uint64 { return namespaceAt("/proc/thread-self/ns/net") }

// NamespaceOf returns the inode of a process's network namespace, 0 where it may not be
// read.
func NamespaceOf(pid int) uint64 { return namespaceAt(fmt.Sprintf("/proc/%d/ns/net", pid)) }

func namespaceAt(path string) uint64 {
	var st syscall.Stat_t
	if err := syscall.Stat(path, &st); err != nil {
		return 0
	}
	return st.Ino
}
