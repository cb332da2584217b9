package policy

import "slices"

// Selecting reports whether an option names the port to be active: each time that it is set
// that port becomes so, whatever the option was before, as with the bonding driver.
func Selecting(option string) bool { return option == "active_slave" || option == "primary" }

// Again is the state in which options that are [Selecting] count as new, since somebody has
// set them again. Others mean nothing.
func (s State) Again(options []string) State {
	if slices.Contains(options, "active_slave") {
		s.Wish, s.WishHolds = "", false
	}
	if slices.Contains(options, "primary") {
		s.Primary = ""
	}
	return s
}
