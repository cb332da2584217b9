// Package version tells which Yoke this is.
package version
