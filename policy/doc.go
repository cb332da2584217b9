// Package policy decides which port carries what. Its functions are pure: the same
// configuration, facts and state give the same plan, bit for bit, and nothing in here
// reads a clock or draws a random number.
//
// [Plan] computes a whole plan. It is made of [ChooseActive] for active-backup,
// [Table] and [ModuloTable] for the balancing modes, and [Hash], the reference that
// every plane's hash is compared with, as [ClassesOf] for the kinds of frames. [Explain] tells which way a frame takes under a
// plan, and [FindSourcePort] the reverse.
//
// The package knows no plane and no watch: results of watches arrive as [Verdict].
package policy
