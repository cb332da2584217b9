// Package vethtest is a world for the conformance suite with a real kernel in it: the
// ports are veth pairs in a network namespace of the test, and their far ends are in
// another one, where packet sockets see and send frames.
//
//	planetest.Run(t, vethtest.World(func(ctx context.Context, s vethtest.Setup) (planetest.Plane, error) {
//		return user.Open(ctx, user.Options{Name: s.Name, StateDir: s.StateDir})
//	}))
package vethtest
