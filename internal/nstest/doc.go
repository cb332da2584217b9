// Package nstest gives tests network namespaces of their own, with real interfaces and
// real frames in them, and takes everything away at the end, also after a failure.
//
// A test that needs a privilege or a kernel feature says so with [Require], which
// skips by the name of what is missing, so that an unprivileged `go test ./...` is
// green and tells what it left out.
//
//	nstest.Require(t, "root", "veth")
//	a, b := nstest.New(t), nstest.New(t)
//	a.Veth("eth0", b, "eth0")
//	a.AddAddr("eth0", "192.0.2.1/24")
//	b.AddAddr("eth0", "192.0.2.2/24")
//	s := nstest.StartUDP(t, a, b, "192.0.2.1", "192.0.2.2", time.Millisecond)
//	s.WaitReceived(100)
//	r := s.Stop() // r.Sent, r.Lost, r.Duplicated, r.Reordered
//
// Nothing here touches the namespace that the test was started in.
package nstest
