// Package agg holds the nouns of link aggregation, and nothing that acts.
//
// A [Spec] is what is wanted. [Facts] are what the kernel and a plane report. A
// [Plan] is what a plane must do now; it is computed whole from a Spec and Facts and
// never patched. A [Status] is what is, with reasons, and an [Event] is what
// happened. An [Instant] is a time of the boot clock.
//
// The options table ([Options]) is the single source of every option's name,
// aliases, values, range, default and meaning. Files, command line, API, help and
// error texts all come from it.
//
// The package does no I/O, reads no clock and starts no goroutine.
package agg
