package agg

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Canonical checks text and returns the option's canonical form of it. The error is a
// *Problem.
func (o *Option) Canonical(text string) (string, error) {
	text = strings.TrimSpace(text)
	switch o.Kind {
	case KindEnum:
		return o.canonicalEnum(text)
	case KindBool:
		return o.canonicalBool(text)
	case KindInt:
		return o.canonicalInt(text)
	case KindDuration:
		return o.canonicalDuration(text)
	case KindName:
		return o.canonicalName(text)
	case KindMAC:
		return o.canonicalMAC(text)
	case KindList:
		return o.canonicalList(text)
	default:
		if strings.ContainsAny(text, "\x00\n") {
			return "", o.problem(text, "must be one line of text", o.Default)
		}
		return text, nil
	}
}

func (o *Option) canonicalEnum(text string) (string, error) {
	n, numErr := strconv.Atoi(text)
	for _, v := range o.Values {
		if v.Text == text || slices.Contains(v.Aliases, text) || (numErr == nil && v.Number == n && v.Number >= 0) {
			return v.Text, nil
		}
	}
	best := o.Default
	words := make([]string, len(o.Values))
	var built []string
	for i, v := range o.Values {
		words[i] = v.Text
		if !v.NotBuilt {
			built = append(built, v.Text)
		}
	}
	if w := nearest(text, built); w != "" {
		best = w
	}
	return "", o.problem(text, "must be one of "+strings.Join(words, ", "), best)
}

// canonicalList checks the words of a list where the option says which there are.
func (o *Option) canonicalList(text string) (string, error) {
	if strings.ContainsAny(text, "\x00\n") {
		return "", o.problem(text, "must be one line of text", o.Default)
	}
	if len(o.Values) == 0 || text == "" {
		return text, nil
	}
	var words []string
	for word := range strings.SplitSeq(text, ",") {
		word = strings.TrimSpace(word)
		if _, ok := o.value(word); !ok {
			best := nearest(word, strings.Split(o.builtWords(), ", "))
			if best == "" {
				best = o.Teamd
			}
			return "", o.problem(text, "must be a list of "+o.builtWords()+", and not of "+strconv.Quote(word), best)
		}
		if !slices.Contains(words, word) {
			words = append(words, word)
		}
	}
	return strings.Join(words, ","), nil
}

// value returns the enumeration's value of a canonical text.
func (o *Option) value(canonical string) (EnumValue, bool) {
	for _, v := range o.Values {
		if v.Text == canonical {
			return v, true
		}
	}
	return EnumValue{}, false
}

// builtWords lists the values that work.
func (o *Option) builtWords() string { return o.words(false) }

// wordsNotBuilt lists those that are known and refused.
func (o *Option) wordsNotBuilt() string { return o.words(true) }

func (o *Option) words(notBuilt bool) string {
	var words []string
	for _, v := range o.Values {
		if v.NotBuilt == notBuilt {
			words = append(words, v.Text)
		}
	}
	return strings.Join(words, ", ")
}

func (o *Option) canonicalBool(text string) (string, error) {
	switch strings.ToLower(text) {
	case "on", "true", "yes", "1":
		return "on", nil
	case "off", "false", "no", "0":
		return "off", nil
	}
	return "", o.problem(text, "must be on or off", o.Default)
}

func (o *Option) canonicalInt(text string) (string, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < o.Min || n > o.Max {
		best := o.Default
		if err == nil {
			best = strconv.FormatInt(min(max(n, o.Min), o.Max), 10)
		}
		return "", o.problem(text, fmt.Sprintf("must be a whole number from %d to %d", o.Min, o.Max), best)
	}
	return strconv.FormatInt(n, 10), nil
}

func (o *Option) canonicalDuration(text string) (string, error) {
	d, err := parseDuration(text, o.Bare)
	least, most := time.Duration(o.Min)*o.Bare, time.Duration(o.Max)*o.Bare
	if err == nil && d >= least && d <= most {
		return d.String(), nil
	}
	best := o.Default
	if err == nil {
		best = min(max(d, least), most).String()
	}
	return "", o.problem(text, fmt.Sprintf("must be a time from %v to %v, as 100ms or, in units of %v, 100", least, most, o.Bare), best)
}

func parseDuration(text string, bare time.Duration) (time.Duration, error) {
	if n, err := strconv.ParseInt(text, 10, 32); err == nil {
		return time.Duration(n) * bare, nil
	}
	return time.ParseDuration(text)
}

func (o *Option) canonicalName(text string) (string, error) {
	if text == "" {
		return "", nil // clears the choice, as an empty write does in bonding
	}
	if err := CheckName(text); err != nil {
		return "", o.problem(text, err.Error(), "eth1")
	}
	return text, nil
}

func (o *Option) canonicalMAC(text string) (string, error) {
	m, err := ParseMAC(text)
	if err != nil {
		return "", o.problem(text, "must be an Ethernet address", "02:00:00:00:00:01")
	}
	if m.IsMulticast() {
		station := m
		station[0] &^= 1
		return "", o.problem(text, "must be the address of one station; the lowest bit of the first byte makes it a group", station.String())
	}
	return m.String(), nil
}

// problem is a refused value; best is a value near it that would be taken.
func (o *Option) problem(value, rule, best string) *Problem {
	return &Problem{Code: "invalid-value", Option: o.Name, Value: value, Rule: rule, Remedy: "for example " + o.Name + "=" + best,
		Fixes: []Fix{{o.Name, o.Name + "=" + best}}}
}
