package lab

import (
	"fmt"
	"strings"
)

// Picture draws the lab as it is now, a line for each cable.
func (l *Lab) Picture() string {
	width := 0
	for _, c := range l.cables {
		width = max(width, len(c.ends[0].label()))
	}
	var lines []string
	for _, name := range sortedKeys(l.cables) {
		c := l.cables[name]
		lines = append(lines, fmt.Sprintf("    %*s %s %s", width, c.ends[0].label(), c.line(), c.ends[1].label()))
	}
	return strings.Join(lines, "\n")
}

// label names an end: a switch in brackets.
func (e cableEndpoint) label() string {
	if e.sw != nil {
		return "[" + e.node + "]"
	}
	return e.node + ":" + e.device
}

// line draws a cable with its state.
func (c *cable) line() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.gone:
		return fmt.Sprintf("   %s removed   ", c.name)
	case c.pulled:
		return fmt.Sprintf("--- %s --X  X---", c.name)
	case c.cut[0] || c.cut[1]:
		return fmt.Sprintf("--- %s --X  X--- (no uplink)", c.name)
	case c.harm != "":
		return fmt.Sprintf("--- %s ~~ %s ~~", c.name, c.harm)
	default:
		return fmt.Sprintf("--- %s ---------", c.name)
	}
}
