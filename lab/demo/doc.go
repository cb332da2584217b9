// Package demo is the guided minute of `yoke demo`: an aggregate in active-backup and
// one in balance-xor, on one switch, with probes every millisecond, pulled cables and a
// killed daemon, and a table of what that cost.
//
// Every figure of the table is measured in the run that prints it. What was not
// measured says so.
package demo
