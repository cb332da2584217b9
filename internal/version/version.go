package version

import "runtime/debug"

// stamped is set by the linker in `make build`.
var stamped string //nolint:gochecknoglobals // the linker can set nothing else

// String returns the stamped version, else the module's version where the program was
// installed with go install, else "development".
func String() string {
	if stamped != "" {
		return stamped
	}
	info, ok := debug.ReadBuildInfo()
	if ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return "development"
}
