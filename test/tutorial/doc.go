// Package tutorial runs the commands of docs/tutorial.md as they stand there. It has a test
// only, and it needs root.
package tutorial
