package daemon

import (
	"cmp"
	"slices"
	"strings"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/control"
)

// change is what becomes of one aggregate: before is nil for a new one, after for one that
// goes.
type change struct {
	control.Change
	before, after *agg.Spec
	// checked: all ports were checked, before the first change was made.
	checked bool
}

// difference says what has to be done to get from before to after; ok is false where
// nothing has.
func difference(file string, before, after *agg.Spec) (c change, ok bool) {
	c = change{before: before, after: after}
	c.File = file
	switch {
	case before == nil:
		c.Aggregate, c.Action = after.Name, control.ActionCreate
		c.add(control.Step{Effect: control.Hitless, To: strings.Join(after.Args(), " "), Text: "make it: " + strings.Join(after.Args(), " ")})
		return c, true
	case after == nil:
		c.Aggregate, c.Action = before.Name, control.ActionRemove
		c.add(control.Step{Effect: control.Rebuild, From: strings.Join(before.Args(), " "), Text: "take it apart: no file asks for it"})
		return c, true
	}
	c.Aggregate, c.Action = after.Name, control.ActionChange
	c.settings("", before.Options, after.Options)
	c.matches()
	c.ports()
	if c.effect() == control.Rebuild {
		c.Action = control.ActionRebuild
	}
	return c, len(c.Steps) > 0
}

func (c *change) add(s control.Step) { c.Steps = append(c.Steps, s) }

// effect is the gravest of the steps.
func (c *change) effect() control.Effect {
	worst := control.Hitless
	for _, s := range c.Steps {
		if s.Effect == control.Rebuild || worst == control.Hitless {
			worst = s.Effect
		}
	}
	return worst
}

// settings adds a step for every option whose value differs, in the order of the table.
func (c *change) settings(port string, before, after agg.Settings) {
	scope, whose := agg.OfAggregate, ""
	if port != "" {
		scope, whose = agg.OfPort, port+","
	}
	for _, o := range agg.Options() {
		was, is := before[o.Name], after[o.Name]
		if _, own := agg.Lookup(o.Name, scope); !own || o.Scope&scope == 0 || was == is {
			continue
		}
		c.add(control.Step{Port: port, Option: o.Name, From: was, To: is, Effect: effectOf(&o, is, was),
			Text: whose + o.Name + ": " + orDefault(was, &o) + " -> " + orDefault(is, &o) + why(&o, is, was)})
	}
}

func orDefault(value string, o *agg.Option) string {
	switch {
	case value != "":
		return value
	case o.Default != "":
		return o.Default + " (default)"
	default:
		return "unset"
	}
}

// effectOf is what a new value of an option does to traffic.
func effectOf(o *agg.Option, is, was string) control.Effect {
	if orDefault(is, o) == orDefault(was, o) || strings.TrimSuffix(orDefault(is, o), " (default)") == strings.TrimSuffix(orDefault(was, o), " (default)") {
		return control.Hitless
	}
	switch {
	case o.When == agg.AtCreation, o.When == agg.NoPorts, neverMoved(o, is, was):
		return control.Rebuild
	case o.When == agg.DeviceDown, o.Name == "mtu", o.Name == "plane":
		return control.Blip
	default:
		return control.Hitless
	}
}

// why says of options that do more than change a value what that is.
func why(o *agg.Option, is, was string) string {
	switch {
	case o.When == agg.AtCreation, neverMoved(o, is, was):
		return " (chosen when the aggregate is made)"
	case o.When == agg.NoPorts:
		return " (may change only while there are no ports)"
	case o.Name == "plane":
		return " (moved while it runs; no frame can pass for a moment)"
	case o.Name == "mtu":
		return " (many drivers restart the link for it)"
	default:
		return ""
	}
}

// matches adds a step where ports are looked for by something else.
func (c *change) matches() {
	was, is := strings.Join(agg.Spec{Match: c.before.Match}.Args(), " "), strings.Join(agg.Spec{Match: c.after.Match}.Args(), " ")
	if was != is {
		c.add(control.Step{Option: "match", From: was, To: is, Effect: control.Hitless, Text: "match: " + cmp.Or(was, "none") + " -> " + cmp.Or(is, "none")})
	}
}

// ports adds a step for every port that comes, goes or changes, and for their order.
func (c *change) ports() {
	stays := false
	for _, p := range c.after.Ports {
		stays = stays || c.before.Port(p.Name) != agg.NoPort
	}
	for _, p := range c.before.Ports {
		if c.after.Port(p.Name) != agg.NoPort {
			continue
		}
		s := control.Step{Port: p.Name, From: p.Name, Effect: control.Hitless, Text: "remove port " + p.Name}
		if !stays {
			s.Effect, s.Text = control.Blip, s.Text+" (no port stays)"
		}
		c.add(s)
	}
	var kept, now []string
	for _, p := range c.after.Ports {
		i := c.before.Port(p.Name)
		if i == agg.NoPort {
			words := p.Word()
			c.add(control.Step{Port: p.Name, To: words, Effect: control.Hitless, Text: "add port " + words})
			continue
		}
		now = append(now, p.Name)
		c.settings(p.Name, c.before.Ports[i].Options, p.Options)
	}
	for _, p := range c.before.Ports {
		if c.after.Port(p.Name) != agg.NoPort {
			kept = append(kept, p.Name)
		}
	}
	if !slices.Equal(kept, now) {
		c.add(control.Step{From: strings.Join(kept, " "), To: strings.Join(now, " "), Effect: control.Hitless,
			Text: "order of ports: " + strings.Join(kept, " ") + " -> " + strings.Join(now, " ")})
	}
}
