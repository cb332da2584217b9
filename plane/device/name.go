package device

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

const (
	innerPrefix = "yk-"
	// maxName is IFNAMSIZ without the ending zero.
	maxName     = 15
	aliasPrefix = "yoke: inner end of "
)

// InnerName returns the name of the hidden end of an aggregate's device: "yk-" and the
// aggregate's name, or, where that is too long, "yk-", five characters of the name and
// seven of its hash.
func InnerName(aggregate string) string {
	if name := innerPrefix + aggregate; len(name) <= maxName {
		return name
	}
	sum := sha256.Sum256([]byte(aggregate))
	const hashed = 7
	return innerPrefix + aggregate[:maxName-len(innerPrefix)-hashed] + hex.EncodeToString(sum[:])[:hashed]
}

// AggregateOf returns the aggregate that an alias says an interface is the inner end
// of.
func AggregateOf(alias string) (string, bool) {
	return strings.CutPrefix(alias, aliasPrefix)
}
