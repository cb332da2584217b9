package kmodule

import (
	"bufio"
	"bytes"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// Absence is why a driver is not there.
type Absence struct {
	// Code is stable: "no-driver" where the kernel has none, "driver-not-loaded" where its
	// module is installed and was not loaded, "no-module-loader" where this kernel loads
	// no modules.
	Code string
	// Why is the end of a sentence that begins with who needs the driver.
	Why string
	// Remedy is a command that helps, empty where none does.
	Remedy string
}

// System is where the kernel tells of its modules. The zero value is the running one.
type System struct {
	// Root stands before /proc and /lib, for tests.
	Root string
	// Release is the kernel's, as `uname -r`; empty asks.
	Release string
}

// Why tells why the driver of a module is not there. The caller has seen that it is not.
func Why(module string) Absence { return System{}.Why(module) }

// Why is the same for a given system.
func (s System) Why(module string) Absence {
	release := s.release()
	if !s.exists("/proc/modules") {
		return Absence{"no-module-loader", "kernel " + release + " was built without the " + module + " driver, and without modules", ""}
	}
	if !s.installed(module, release) {
		return Absence{
			"no-driver", "kernel " + release + " has no " + module + " driver, and /lib/modules/" + release + " no module of it",
			"install the modules of that kernel (Debian: linux-image-" + release + ", Fedora: kernel-modules-extra)",
		}
	}
	if s.word("/proc/sys/kernel/modules_disabled") == "1" {
		return Absence{
			"no-module-loader", "the " + module + " driver is not loaded, and this kernel takes no more modules (kernel.modules_disabled=1)",
			"`echo " + module + " >/etc/modules-load.d/" + module + ".conf && reboot`",
		}
	}
	if s.exists("/proc/sys/kernel/modprobe") && s.word("/proc/sys/kernel/modprobe") == "" {
		return Absence{
			"no-module-loader", "the " + module + " driver is not loaded, and this kernel loads none by itself (kernel.modprobe is empty)",
			"`modprobe " + module + "`",
		}
	}
	return Absence{
		"driver-not-loaded", "the " + module + " driver is installed, and the kernel could not load it",
		"`modprobe " + module + "`, which says why",
	}
}

func (s System) release() string {
	if s.Release != "" {
		return s.Release
	}
	var u unix.Utsname
	if unix.Uname(&u) != nil {
		return "(unknown)"
	}
	return unix.ByteSliceToString(u.Release[:])
}

func (s System) exists(path string) bool {
	_, err := os.Stat(filepath.Join(s.Root, path))
	return err == nil
}

func (s System) word(path string) string {
	b, err := os.ReadFile(filepath.Join(s.Root, path))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}

// installed looks the module up in depmod's list, whose lines begin with its path.
func (s System) installed(module, release string) bool {
	b, err := os.ReadFile(filepath.Join(s.Root, "/lib/modules", release, "modules.dep"))
	if err != nil {
		return false
	}
	lines := bufio.NewScanner(bytes.NewReader(b))
	for lines.Scan() {
		path, _, _ := strings.Cut(lines.Text(), ":")
		name, _, _ := strings.Cut(filepath.Base(path), ".")
		if name == module {
			return true
		}
	}
	return false
}
