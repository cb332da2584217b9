package policy

// Overlay holds explicit moves of buckets: bucket number to the name of a port. A move
// to a port that is not usable has no effect while that lasts.
type Overlay map[int]string
