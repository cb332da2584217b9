package bonding

import (
	"errors"
	"slices"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/iface"
)

// Configure notes what is wanted in the words of a spec, which Apply puts in force. From
// then on the driver alone chooses among the ports: a plan says which ports there are, and
// no more. again are options that were set again, to whatever they were. The error is
// [agg.Problems] for what the driver cannot do.
func (p *Plane) Configure(spec agg.Spec, again []string) error {
	if err := Fit(spec); err != nil {
		return err
	}
	wanted := spec.Clone()
	p.spec, p.again = &wanted, again
	return nil
}

// bySpec are the driver's values for a spec: what it says, and Yoke's defaults for the
// rest where this kernel has the option and may change it now. Which port is active is not
// among them, since the driver changes it.
func (p *Plane) bySpec(have State) (Values, error) {
	c := p.spec.Config()
	mode := c.Mode
	if mode == agg.Random {
		mode = agg.BalanceRR
	}
	said, errs := Values{}, []error(nil)
	put := func(out Values, name, text string) {
		a, _ := named(Attributes(), name)
		v, err := a.Kernel(p.options.Name, text, have.indexOf)
		out[name] = v
		errs = append(errs, err)
	}
	put(said, "mode", mode.String())
	if c.Mode == agg.Random {
		said["packets_per_slave"] = "0"
	}
	rest := Values{}
	for _, a := range Attributes() {
		if text, ok := p.spec.Options[a.Name]; a.Name == "mode" || a.Name == "active_slave" {
			continue
		} else if ok {
			put(said, a.Name, text)
			continue
		}
		if o, _ := agg.Lookup(a.Name, agg.OfAggregate); o.ValidIn(mode) && a.in(mode) && said[a.Name] == "" {
			put(rest, a.Name, o.Default)
		}
	}
	p.watching(c, said, rest)
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return possible(have, said, rest), nil
}

// watching sees to it that the driver has one watch, and is blind only where that is
// asked for.
func (p *Plane) watching(c agg.Config, said, rest Values) {
	rest["arp_interval"], rest["miimon"] = "0", itoa(p.options.Miimon)
	switch {
	case !c.Watching:
		rest["miimon"] = "0"
		if _, ok := said["miimon"]; ok {
			said["miimon"] = "0"
		}
	case positive(said["arp_interval"]):
		delete(rest, "miimon")
	case said["miimon"] == "0":
		said["miimon"] = itoa(p.options.Miimon)
	}
	for name := range said {
		delete(rest, name)
	}
}

// possible adds to what is said the defaults that can be set now.
func possible(have State, said, rest Values) Values {
	target := Target(have, said)
	mode := modeOf(target)
	for _, a := range Attributes() {
		v, ok := rest[a.Name]
		if _, reported := have.Options[a.Name]; !ok || !reported || have.Options[a.Name] == v && target[a.Name] == v {
			continue
		}
		if a.refuse(have, target, mode, v) == nil {
			said[a.Name] = v
		}
	}
	return said
}

// indexOf is the ifindex of a name, 0 where there is no such interface.
func indexOf(name string) int {
	if name == "" {
		return 0
	}
	l, err := iface.ByName(name, iface.Here)
	if err != nil {
		return 0
	}
	return l.Index
}

// indexOf is the ifindex of a port, 0 where the bond has none of the name: the driver
// shows a primary when it has joined.
func (s State) indexOf(name string) int {
	p, _ := s.Port(name)
	return p.Index
}

// setPorts sets the options of ports, all or none.
func (p *Plane) setPorts() (changed bool, err error) {
	if p.spec == nil {
		return false, nil
	}
	have, err := p.driver.Read(p.index)
	if err != nil {
		return false, err
	}
	before, want := map[string]Values{}, map[string]Values{}
	for _, q := range have.Ports {
		i := p.spec.Port(q.Name)
		if i == agg.NoPort {
			continue
		}
		w, err := portValues(have, q, p.spec.Ports[i])
		if err != nil {
			return false, err
		}
		if len(w) > 0 {
			want[q.Name], before[q.Name] = w, q.Options
		}
	}
	if len(want) == 0 {
		return false, nil
	}
	if err := p.writePorts(want); err != nil {
		return true, errors.Join(err, p.writePorts(before))
	}
	return true, nil
}

// portValues are those of a port's options that differ from what is wanted.
func portValues(have State, q Port, spec agg.PortSpec) (Values, error) {
	out := Values{}
	for _, a := range PortAttributes() {
		text, said := spec.Options[a.Name]
		o, _ := agg.Lookup(a.Name, agg.OfPort)
		if !said {
			text = o.Default
		}
		now, reported := q.Options[a.Name]
		if !said && (!reported || !a.in(have.Mode())) {
			continue
		}
		v, err := a.Kernel(q.Name, text, indexOf)
		if err != nil {
			return nil, err
		}
		if v != now {
			out[a.Name] = v
		}
	}
	return out, nil
}

// writePorts sets options of ports. No two may have the same queue at any time, so those
// that change theirs let go of it first.
func (p *Plane) writePorts(want map[string]Values) error {
	free := map[string]Values{}
	for name, v := range want {
		if _, ok := v["queue_id"]; ok {
			free[name] = Values{"queue_id": "0"}
		}
	}
	for _, values := range []map[string]Values{free, want} {
		s, err := p.driver.Read(p.index)
		if err != nil {
			return err
		}
		for _, q := range s.Ports {
			for _, a := range PortAttributes() {
				v, ok := values[q.Name][a.Name]
				if !ok {
					continue
				}
				if err := p.driver.SetPort(p.index, q, a.Name, v); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// prefer writes a primary that was set again: at each write the driver goes over to it,
// whatever primary_reselect says.
func (p *Plane) prefer() (changed bool, err error) {
	if p.spec == nil || !slices.Contains(p.again, "primary") {
		return false, nil
	}
	have, err := p.driver.Read(p.index)
	if err != nil {
		return false, err
	}
	index := have.indexOf(p.spec.Options["primary"])
	if index == 0 {
		return false, nil
	}
	a, _ := named(Attributes(), "primary")
	if err := (bond{p.driver, p.index}).set(a, itoa(index)); err != nil {
		return false, refusal(p.options.Name, a, itoa(index), err)
	}
	return true, nil
}

// wish makes the port active that the spec asks for, once each time that it asks for
// another, or asks again. While the aggregate is being made it is enough that the driver
// chooses.
func (p *Plane) wish() (changed bool, err error) {
	name := p.spec.Options["active_slave"]
	if name == p.note.Own.Wish && !slices.Contains(p.again, "active_slave") {
		return false, nil
	}
	first := p.note.Plan == nil
	have, err := p.driver.Read(p.index)
	if err != nil {
		return false, err
	}
	index := indexOf(name)
	works := slices.ContainsFunc(have.Ports, func(q Port) bool { return q.Index == index && q.Works() })
	if have.Options["active_slave"] != itoa(index) && (works || !first) {
		if err := p.driver.Change(p.index, Values{"active_slave": itoa(index)}); err != nil {
			return false, err
		}
	}
	p.note.Own.Wish = name
	return true, nil
}
