//go:build planted_match

package lacp

const (
	plantedMatch = true
	plantedLimit = false
	plantedMoved = false
)
