package nstest

import "os"

// Emulated reports whether this is the virtual machine of test/vm, which says so in the
// environment. Its processors are a program: what works is several times as slow there, what
// waits is not, and starting a program is dearest.
func Emulated() bool { return os.Getenv("YOKE_VM") == "1" }
