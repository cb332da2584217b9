// Package sim is a deterministic world around the engine: the real engine, watches and
// policy over a kernel and a plane in memory, on a clock that a seed drives.
//
// [NewScript] makes a run out of a seed: an aggregate and what happens to it. The
// package's test plays runs and checks invariants after every step. A failure prints
// the seed and the command that replays it.
//
//	go test ./sim                    # fixed seeds
//	SIM_SEEDS=1000 go test ./sim     # that many more, from a new place each time
//	SIM_SEED=42 go test ./sim -v     # one seed, told step by step
//
// The package may move: it is no library.
package sim
