package bonding

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/yokelag/yoke/agg"
)

// Found describes a bond that is there already, whoever made it, in the words of a spec:
// its mode, every option that is not at Yoke's default, and its ports. The bool is false
// where there is no such bond. It changes nothing.
func Found(name string) (agg.Spec, bool, error) {
	d, err := NewDriver()
	if err != nil {
		return agg.Spec{}, false, err
	}
	defer d.Close()
	index, err := d.Find(name)
	if errors.Is(err, unix.ENODEV) || errors.Is(err, ErrNotBond) {
		return agg.Spec{}, false, nil
	}
	if err != nil {
		return agg.Spec{}, false, err
	}
	s, err := d.Read(index)
	if err != nil {
		return agg.Spec{}, false, err
	}
	spec, err := s.Spec()
	if err != nil {
		return agg.Spec{}, false, fmt.Errorf("describe bond %s: %w", name, err)
	}
	return spec, true, nil
}

// Spec describes a bond in the words of a spec; see [Found].
func (s State) Spec() (agg.Spec, error) {
	spec := agg.Spec{Name: s.Name, Options: agg.Settings{}}
	mode := s.Mode()
	errs := []error{spec.Options.Set(agg.OfAggregate, "mode", mode.String())}
	if s.MTU != 0 && strconv.Itoa(s.MTU) != defaultOf("mtu", agg.OfAggregate) {
		errs = append(errs, spec.Options.Set(agg.OfAggregate, "mtu", strconv.Itoa(s.MTU)))
	}
	for _, a := range Attributes() {
		v, ok := s.Options[a.Name]
		if !ok || a.Name == "mode" || a.Name == "active_slave" || !a.in(mode) {
			continue
		}
		errs = append(errs, a.describe(&spec.Options, agg.OfAggregate, mode, v, s))
	}
	if !positive(s.Options["miimon"]) && !positive(s.Options["arp_interval"]) {
		errs = append(errs, spec.Options.Set(agg.OfAggregate, "watch", "none"))
		delete(spec.Options, "miimon")
	}
	for _, q := range s.Ports {
		p := agg.PortSpec{Name: q.Name}
		for _, a := range PortAttributes() {
			if v, ok := q.Options[a.Name]; ok && a.in(mode) {
				errs = append(errs, a.describe(&p.Options, agg.OfPort, mode, v, s))
			}
		}
		spec.Ports = append(spec.Ports, p)
	}
	return spec, errors.Join(errs...)
}

func defaultOf(name string, scope agg.Scope) string {
	o, ok := agg.Lookup(name, scope)
	if !ok {
		return ""
	}
	return o.Default
}

// describe sets an option to the text of the kernel's value, unless that is what comes of
// saying nothing.
func (a Attribute) describe(into *agg.Settings, scope agg.Scope, mode agg.Mode, value string, s State) error {
	o, ok := agg.Lookup(a.Name, scope)
	if !ok || !o.ValidIn(mode) || a.unsaid(o, value) {
		return nil
	}
	text := a.text(o, value, s)
	if c, err := o.Canonical(text); err == nil && c == o.Default && a.Name != "miimon" {
		return nil
	}
	return into.Set(scope, a.Name, text)
}

// unsaid reports whether the value is what comes of saying nothing.
func (a Attribute) unsaid(o *agg.Option, value string) bool {
	switch a.Name {
	case "miimon", "arp_interval":
		return value == "0" // the other watch, or none
	case "primary":
		return value == "0"
	}
	return value == "" || o.Default == "" && value == a.unset()
}

// text is the kernel's value as a spec has it.
func (a Attribute) text(o *agg.Option, value string, s State) string {
	n, err := strconv.Atoi(value)
	for _, v := range o.Values {
		if err == nil && v.Number == n {
			return v.Text
		}
	}
	switch {
	case a.Form == Index:
		i := slices.IndexFunc(s.Ports, func(q Port) bool { return q.Index == n })
		if i < 0 {
			return ""
		}
		return s.Ports[i].Name
	case o.Kind == agg.KindDuration && a.Name == "lp_interval":
		return (time.Duration(n) * time.Second).String()
	case o.Kind == agg.KindDuration:
		return (time.Duration(n) * time.Millisecond).String()
	default:
		return strings.TrimSpace(value)
	}
}
