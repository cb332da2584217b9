// Package control is the contract between yoked and everything that asks it for
// something: the paths, requests, answers and errors of its HTTP and JSON interface on
// a UNIX socket, and a [Client] that speaks it.
//
// Paths begin with the version of the contract, /v1. Every answer is an object with a
// "version"; fields may be added within a version, and a reader ignores those that it
// does not know. A refusal is an [ErrorBody]: problems in the words of agg.Problem, each
// ending with the command that would work.
//
// A client says in the header [NamespaceHeader] in which network namespace it runs,
// because names of interfaces mean nothing elsewhere; the daemon checks what it is told
// and refuses a client from another one.
//
// The package holds no server code and knows nothing of the engine.
//
//	c := control.NewClient(control.SocketPath(""))
//	status, err := c.Status(ctx, "bond0")
package control
