// Package rig sets up hosts whose ports the real yoked joins, for tests of behaviour: the
// built programs, network namespaces of the test's own, and real frames between them.
//
//	func TestMain(m *testing.M) { os.Exit(rig.Main(m)) }
//
//	r := rig.New(t, "bpf") // eth1 and eth2 here, the bridge br0 there
//	r.Start()
//	r.Up("br0", "plane=ebpf", "mode=balance-xor", "eth1", "eth2")
//	r.WaitCarrying(2)
package rig
