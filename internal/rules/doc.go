// Package rules holds the project's rules as tests: what may import what, what the core
// may not call, what every package must say about itself. It has no code of its own.
//
// A failure names the place, the rule and its reason. Whoever finds a rule wrong changes
// it here, in a commit that says why.
package rules
