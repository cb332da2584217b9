// Package storm bounces the ports of real aggregates: many aggregates side by side in
// one network namespace, each with its engine and its plane, each in a storm of its
// own. After each stretch of bounces there is quiet, and then the plane must do what
// follows from the facts alone, and frames must be seen at the far ends of exactly the
// ports that should carry. It has tests only, and they need root.
//
// The run of every day is short. The whole promise is 20 storms of 1,000 bounces on
// each plane, which takes some minutes:
//
//	STORM_SEEDS=20 STORM_BOUNCES=1000 go test -v -count=1 -timeout 40m ./test/storm
//
// Mode 802.3ad has storms of its own, in labs of real programs with two aggregates back to
// back, and with one on an Open vSwitch. Cables are pulled, removed and put in again, ports set
// down and given other addresses. Against another Yoke all that works must carry 300 ms after
// the last bounce, at both ends; against Open vSwitch, which speaks every second and gives a
// partner up after three, after 4 s. The whole promise takes some 15 minutes for each:
//
//	STORM_STRICT=1 STORM_SEEDS=20 STORM_BOUNCES=1000 go test -v -count=1 -timeout 60m -run 'LACP$' ./test/storm
//	STORM_STRICT=1 STORM_SEEDS=20 STORM_BOUNCES=1000 go test -v -count=1 -timeout 60m -run 'LACPWithOpenVSwitch$' ./test/storm
//
// STORM_SEED=n begins with that seed, as a failure says. Ten storms rage at a time (five
// in mode 802.3ad), or STORM_AT_ONCE: at each quiet a port or two of every aggregate has just been made anew,
// and the kernel's one lock for all links makes more of them wait for each other. With STORM_STRICT=1 a plan that
// is not in force 100 ms after the last bounce is a failure; without, it is counted, with
// the latest, since a machine with other work may not give the time.
package storm
