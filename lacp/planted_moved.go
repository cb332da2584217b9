//go:build planted_moved

package lacp

const (
	plantedMatch = false
	plantedLimit = false
	plantedMoved = true
)
