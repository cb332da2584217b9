// Package engine runs one aggregate in one goroutine: it reads facts, steps the
// watches, computes the plan, has the plane apply it, and compares what the plane
// reports with what was asked.
//
// It is level-triggered. An event carries no information; it only leads to reading the
// facts again. Nothing decides that "no rebuild is needed".
//
// The interfaces that the engine needs of the world are [Plane], [Links], [Frames] and
// [Clock]. The package touches no netlink, socket, BPF or file. It may move: only the
// packages below it are meant as libraries.
package engine
