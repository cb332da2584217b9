// Package apply holds the proofs of changes to what carries traffic: a take-over of the
// link under a session, what is undone because nobody confirmed it, and files applied
// under a stream of frames. It has tests only, and they need root.
package apply
