package agg

import (
	"fmt"
	"strings"
	"time"
)

// Accepts says in one line what values an option takes, for help and reference pages.
// Values that are known but not built are listed apart.
func (o *Option) Accepts() string {
	switch o.Kind {
	case KindEnum:
		if later := o.wordsNotBuilt(); later != "" {
			return strings.TrimPrefix(o.builtWords()+"; not built yet: "+later, "; ")
		}
		return o.builtWords()
	case KindBool:
		return "on, off"
	case KindInt:
		return strings.TrimSpace(fmt.Sprintf("%d to %d %s", o.Min, o.Max, o.Unit))
	case KindDuration:
		return fmt.Sprintf("%v to %v; a bare number counts in %s", time.Duration(o.Min)*o.Bare, time.Duration(o.Max)*o.Bare, o.Unit)
	case KindName:
		return "the name of an interface, or nothing"
	case KindMAC:
		return "an Ethernet address"
	case KindList:
		if len(o.Values) > 0 {
			return "a list with commas of " + o.builtWords()
		}
		return strings.TrimSuffix("a list with commas: "+o.Unit, ": ")
	default:
		return "text"
	}
}

// Describe explains an option in a few lines: what it is, what it takes, where it is
// valid and what it is called elsewhere.
func (o *Option) Describe() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n", o.Name, o.Accepts())
	fmt.Fprintf(&b, "    %s\n", o.Doc)
	line := func(label, text string) {
		if text != "" {
			fmt.Fprintf(&b, "    %s: %s\n", label, text)
		}
	}
	if !o.Built {
		line("refused", o.notBuilt("").Rule+"; "+o.notBuilt("").Remedy)
	}
	line("planes", strings.Join(o.Planes, ", "))
	line("modes", modeList(o.Modes))
	line("default", o.Default)
	line("also called", strings.Join(o.Aliases, ", "))
	line("in teamd.conf", o.TeamdKey)
	return b.String()
}
