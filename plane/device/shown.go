package device

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// shown makes text from another namespace fit for an operator's terminal: whoever is there
// may call processes and interfaces what he likes. What cannot be printed is escaped, in
// quotes.
func shown(text string) string {
	odd := func(r rune) bool { return !strconv.IsPrint(r) }
	if utf8.ValidString(text) && !strings.ContainsFunc(text, odd) {
		return text
	}
	return strconv.Quote(text)
}
