// Package daemon is yoked: it builds a world out of the kernel around one engine for
// each aggregate, and serves the API of package control.
//
// It decides nothing about ports. It reads configuration, refuses what cannot work
// before anything changes, chooses a plane once for each aggregate, keeps saved state
// in files, adopts what an earlier daemon left forwarding, and ends without touching it.
//
// One daemon serves one network namespace, that of its process, and owns one state
// directory. It may move: only the packages below the engine are meant as libraries.
package daemon
