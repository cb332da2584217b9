package lab

import (
	"fmt"
	"regexp"
)

// nameForm is what names of labs, hosts, switches, cables and groups look like: they become
// parts of paths and of command lines, and nothing in them may lead elsewhere.
var nameForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$`)

// checkName refuses what is no name.
func checkName(c *checker, object, name string) {
	if !nameForm.MatchString(name) {
		c.add(object, fmt.Sprintf("%q cannot be a name: it begins with a letter or digit, and has at most 32 letters, digits, dots, dashes and underscores", name))
	}
}
