// Package kmodule tells why a driver that may be a kernel module is not there: what a
// refusal should say, and the command that helps.
package kmodule
