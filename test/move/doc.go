// Package move holds tests of moving an aggregate from one plane to another while it runs,
// by the real programs and under traffic.
package move
