//go:build planted_limit

package lacp

const (
	plantedMatch = false
	plantedLimit = true
	plantedMoved = false
)
