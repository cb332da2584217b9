// Package teamtest is a team driver in memory, for tests of programs that use package
// team: no kernel, no privilege. It keeps the driver's rules about modes, ports, enabled
// ports and hash mappings, and its errors. It forwards nothing.
package teamtest
