package agg

import "strings"

// Problem is a refusal: what was asked, which rule it breaks, and the command or the
// change that would work. The text form is one sentence and the remedy.
type Problem struct {
	// Code is stable, for programs: "unknown-option", "invalid-value",
	// "wrong-mode", "not-built", "port-busy", ...
	Code string `json:"code"`
	// Option, Value and Object say what the problem is about; any may be empty.
	Option string `json:"option,omitempty"`
	Value  string `json:"value,omitempty"`
	Object string `json:"object,omitempty"` // an aggregate or interface
	// Rule says what must hold.
	Rule string `json:"rule"`
	// Remedy is what to do, a command where there is one.
	Remedy string `json:"remedy,omitempty"`
	// Fixes are changes to the words of what was asked, any one of which would do, the
	// best first. A face that knows the words completes the remedy with them.
	Fixes []Fix `json:"fixes,omitempty"`
}

// Fix is one word to write otherwise.
type Fix struct {
	// Word is the name of an option, an aggregate or a port, as it was written.
	Word string `json:"word"`
	// To stands instead of it, as OPTION=VALUE or as a name, and once where the word was
	// there several times. Empty leaves it out. An option that was not there is added.
	To string `json:"to"`
}

// Error implements error.
func (p *Problem) Error() string {
	var b strings.Builder
	if p.Object != "" {
		b.WriteString(p.Object + ": ")
	}
	if p.Option != "" {
		b.WriteString(p.Option)
		if p.Value != "" {
			b.WriteString("=" + p.Value)
		}
		b.WriteString(": ")
	}
	b.WriteString(p.Rule)
	if p.Remedy != "" {
		b.WriteString("; " + p.Remedy)
	}
	return b.String()
}

// Problems are several refusals reported at once.
type Problems []*Problem

// Error implements error: one line a problem.
func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i, q := range p {
		lines[i] = q.Error()
	}
	return strings.Join(lines, "\n")
}

// Err returns nil for no problems.
func (p Problems) Err() error {
	if len(p) == 0 {
		return nil
	}
	return p
}
