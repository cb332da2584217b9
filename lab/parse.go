package lab

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"

	"github.com/yokelag/yoke/agg"
)

// Bounds of a lab, so that a typing error does not fill the machine.
const (
	maxHosts    = 64
	maxCables   = 256
	maxRate     = 20000
	maxFlows    = 256
	maxProbes   = 64
	minSize     = 24
	maxSize     = 1400
	maxFrames   = 2_000_000 // of all probes of a run together
	maxMegabits = 100_000
	defaultRate = 1000
	defaultSize = 32
)

// Parse reads a lab. Unknown keys are errors with line and column. source names the
// text in errors.
func Parse(source string, text []byte) (*File, error) {
	var f File
	dec := yaml.NewDecoder(bytes.NewReader(text), yaml.Strict())
	if err := dec.Decode(&f); err != nil {
		return nil, fmt.Errorf("%s: %s", source, strings.TrimSpace(yaml.FormatError(err, false, true)))
	}
	if err := f.check(placesOf(text)); err != nil {
		return nil, fmt.Errorf("%s: %w", source, err)
	}
	return &f, nil
}

// Load reads a shipped lab by name, or a file by path.
func Load(nameOrPath string) (*File, error) {
	if text, ok := shipped(nameOrPath); ok {
		return Parse(nameOrPath, text)
	}
	text, err := os.ReadFile(nameOrPath)
	if err != nil {
		return nil, &agg.Problem{Code: "unknown-lab", Object: nameOrPath,
			Rule: "there is no such lab and no such file", Remedy: "`yoke lab list` shows the labs"}
	}
	return Parse(nameOrPath, text)
}

// UnmarshalYAML reads an aggregate: options of the options table, and ports, which
// are names or mappings of a name to its options.
func (a *Aggregate) UnmarshalYAML(node ast.Node) error {
	return eachPair(node, func(key string, value ast.Node) error {
		if key == "ports" {
			return a.readPorts(value)
		}
		return setOption(&a.Spec.Options, agg.OfAggregate, key, value)
	})
}

func (a *Aggregate) readPorts(node ast.Node) error {
	switch n := node.(type) {
	case *ast.SequenceNode:
		for _, v := range n.Values {
			name, ok := scalar(v)
			if !ok {
				return at(v, "a port is a name; write ports as a mapping to give them options")
			}
			a.Spec.Ports = append(a.Spec.Ports, agg.PortSpec{Name: name})
		}
		return nil
	case *ast.MappingNode, *ast.MappingValueNode:
		return eachPair(node, func(name string, value ast.Node) error {
			p := agg.PortSpec{Name: name}
			if _, none := value.(*ast.NullNode); !none {
				err := eachPair(value, func(key string, v ast.Node) error {
					return setOption(&p.Options, agg.OfPort, key, v)
				})
				if err != nil {
					return err
				}
			}
			a.Spec.Ports = append(a.Spec.Ports, p)
			return nil
		})
	default:
		return at(node, "ports is a list of names, or a mapping of names to options")
	}
}

func setOption(to *agg.Settings, scope agg.Scope, key string, value ast.Node) error {
	text, ok := scalar(value)
	if !ok {
		return at(value, key+": wants one value")
	}
	if err := to.Set(scope, key, text); err != nil {
		return at(value, err.Error())
	}
	return nil
}

// eachPair calls f for each key of a mapping, in the order of the file.
func eachPair(node ast.Node, f func(key string, value ast.Node) error) error {
	var pairs []*ast.MappingValueNode
	switch n := node.(type) {
	case *ast.MappingNode:
		pairs = n.Values
	case *ast.MappingValueNode:
		pairs = []*ast.MappingValueNode{n}
	default:
		return at(node, "wants keys and values")
	}
	for _, p := range pairs {
		if err := f(p.Key.GetToken().Value, p.Value); err != nil {
			return err
		}
	}
	return nil
}

func scalar(n ast.Node) (string, bool) {
	if _, ok := n.(ast.ScalarNode); !ok {
		return "", false
	}
	return n.GetToken().Value, true
}

// at is an error with the place of a node, in the form of the YAML library's own.
func at(n ast.Node, text string) error {
	p := n.GetToken().Position
	return fmt.Errorf("[%d:%d] %s", p.Line, p.Column, text)
}

// check reports every fault of the file at once, each with its place.
func (f *File) check(where places) error {
	c := checker{where: where}
	checkName(&c, "name", f.Name)
	if f.Version != 1 {
		c.add("version", fmt.Sprintf("is %d; this Yoke reads version 1", f.Version))
	}
	if len(f.Hosts) == 0 || len(f.Hosts) > maxHosts {
		c.add("hosts", fmt.Sprintf("there must be 1 to %d", maxHosts))
	}
	if len(f.Cables) > maxCables {
		c.add("cables", fmt.Sprintf("there must be at most %d", maxCables))
	}
	for _, name := range slices.Sorted(maps.Keys(f.Switches)) {
		f.checkSwitch(&c, name)
	}
	f.checkCables(&c)
	for _, name := range slices.Sorted(maps.Keys(f.Hosts)) {
		f.checkHost(&c, name)
	}
	if len(f.Probes) > maxProbes {
		c.add("probes", fmt.Sprintf("there must be at most %d", maxProbes))
	}
	frames := 0
	for _, name := range slices.Sorted(maps.Keys(f.Probes)) {
		frames += f.checkProbe(&c, name)
	}
	if frames > maxFrames {
		c.add("probes", fmt.Sprintf("send %d frames together; a run has at most %d", frames, maxFrames))
	}
	for i, x := range f.Faults {
		f.checkFault(&c, fmt.Sprintf("faults[%d]", i), x)
	}
	for i, e := range f.Expect {
		f.checkExpectation(&c, fmt.Sprintf("expect[%d]", i), e)
	}
	return c.problems.Err()
}

// checker collects problems.
type checker struct {
	where    places
	problems agg.Problems
}

func (c *checker) add(object, rule string) {
	c.problems = append(c.problems, &agg.Problem{Code: "invalid-lab", Object: c.where.of(object), Rule: rule})
}

func (f *File) checkSwitch(c *checker, name string) {
	s, object := f.Switches[name], "switches."+name
	checkName(c, object, name)
	switch s.Kind {
	case kindBridge:
		if s.LACPRate != "" || s.Passive {
			c.add(object, "a bridge speaks no LACP; write kind: lacp or kind: ovs")
		}
	case kindLACP, kindOVS:
		if len(s.UplinkTracking) > 0 {
			c.add(object+".uplink_tracking", "is what kind: bridge does")
		}
	default:
		c.add(object, fmt.Sprintf("kind %q is unknown; the kinds are bridge, lacp and ovs", s.Kind))
	}
	if s.IgnoreMarkers && s.Kind != kindLACP {
		c.add(object+".ignore_markers", "is what kind: lacp does")
	}
	if !slices.Contains([]string{"", "slow", "fast"}, s.LACPRate) {
		c.add(object+".lacp_rate", "is slow or fast")
	}
	f.checkGroups(c, name)
	for _, cable := range s.UplinkTracking {
		if !slices.Contains(f.Cables[cable].Ends, name) {
			c.add(object+".uplink_tracking", fmt.Sprintf("cable %q does not lead to this switch", cable))
		}
	}
}

func (f *File) checkGroups(c *checker, name string) {
	s, by := f.Switches[name], map[string]string{}
	for _, group := range slices.Sorted(maps.Keys(s.Groups)) {
		object := "switches." + name + ".groups." + group
		checkName(c, object, group)
		if s.Kind == kindOVS && len(s.Groups[group]) < 2 {
			c.add(object, "a group of Open vSwitch has two cables or more")
		}
		for _, cable := range s.Groups[group] {
			if !slices.Contains(f.Cables[cable].Ends, name) {
				c.add(object, fmt.Sprintf("cable %q does not lead to this switch", cable))
			}
			if other, taken := by[cable]; taken {
				c.add(object, fmt.Sprintf("cable %q is in group %s already", cable, other))
			}
			by[cable] = group
		}
	}
}

func (f *File) checkCables(c *checker) {
	used := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(f.Cables)) {
		object := "cables." + name
		checkName(c, object, name)
		if err := agg.CheckName(name); err != nil {
			c.add(object, err.Error())
		}
		ends := f.Cables[name].Ends
		if len(ends) != 2 {
			c.add(object, "a cable has two ends")
			continue
		}
		for _, e := range ends {
			host, device, isHost := strings.Cut(e, ":")
			if !isHost {
				if _, ok := f.Switches[e]; !ok {
					c.add(object, fmt.Sprintf("%q is no switch; the end at a host is written HOST:DEVICE", e))
				}
				continue
			}
			if _, ok := f.Hosts[host]; !ok {
				c.add(object, fmt.Sprintf("there is no host %q", host))
			}
			if err := agg.CheckName(device); err != nil {
				c.add(object, err.Error())
			}
			if by, taken := used[e]; taken {
				c.add(object, fmt.Sprintf("%s has cable %s already", e, by))
			}
			used[e] = name
		}
	}
}

func (f *File) checkHost(c *checker, name string) {
	h := f.Hosts[name]
	checkName(c, "hosts."+name, name)
	for _, a := range slices.Sorted(maps.Keys(h.Aggregates)) {
		entry := h.Aggregates[a]
		entry.Spec.Name = a
		h.Aggregates[a] = entry
		if err := entry.Spec.Validate(); err != nil {
			c.add("hosts."+name+".aggregates."+a, err.Error())
		}
		for _, p := range entry.Spec.Ports {
			if !f.hasCable(name + ":" + p.Name) {
				c.add("hosts."+name+".aggregates."+a, fmt.Sprintf("port %s has no cable", p.Name))
			}
		}
	}
}

func (f *File) hasCable(end string) bool {
	for _, c := range f.Cables {
		if slices.Contains(c.Ends, end) {
			return true
		}
	}
	return false
}

// checkProbe returns the number of frames that the stream sends.
func (f *File) checkProbe(c *checker, name string) int {
	p, object := f.Probes[name], "probes."+name
	for _, h := range []string{p.From, p.To} {
		if _, ok := f.Hosts[h]; !ok {
			c.add(object, fmt.Sprintf("there is no host %q", h))
		}
	}
	if p.Rate == 0 {
		p.Rate = defaultRate
	}
	if p.Size == 0 {
		p.Size = defaultSize
	}
	if p.Flows == 0 {
		p.Flows = 1
	}
	if p.Rate < 1 || p.Rate > maxRate {
		c.add(object, fmt.Sprintf("rate must be 1 to %d frames a second", maxRate))
	}
	if p.Size < minSize || p.Size > maxSize {
		c.add(object, fmt.Sprintf("size must be %d to %d bytes", minSize, maxSize))
	}
	if p.Flows < 1 || p.Flows > maxFlows {
		c.add(object, fmt.Sprintf("flows must be 1 to %d", maxFlows))
	}
	if p.Address == "" {
		p.Address = f.address(p.To)
	}
	if p.Burst < 0 || p.AtOnce < 0 || p.AtOnce > p.Flows {
		c.add(object, "burst and at_once are not negative, and at_once is at most the number of flows")
	}
	if p.Address == "" {
		c.add(object, fmt.Sprintf("host %q has no address to send to", p.To))
	}
	f.Probes[name] = p
	return int(float64(p.Rate) * seconds(f.Duration))
}

// address is the first address of a host, without its prefix length: that of the
// device that sorts first.
func (f *File) address(host string) string {
	addresses := f.Hosts[host].Addresses
	for _, device := range slices.Sorted(maps.Keys(addresses)) {
		for _, cidr := range addresses[device] {
			ip, _, _ := strings.Cut(cidr, "/")
			return ip
		}
	}
	return ""
}

func (f *File) checkFault(c *checker, object string, x Fault) {
	switch x.Do {
	case Kill, Start:
		if len(f.Hosts[x.Host].Aggregates) == 0 {
			c.add(object, fmt.Sprintf("host %q has no aggregate, so no daemon", x.Host))
		}
		return
	case Ungroup, Regroup:
		s := f.Switches[x.Switch]
		if _, ok := s.Groups[x.Group]; !ok {
			c.add(object, fmt.Sprintf("switch %q has no group %q", x.Switch, x.Group))
		} else if s.Kind == kindBridge {
			c.add(object, "the groups of a bridge are static; write kind: lacp or kind: ovs")
		}
		return
	case Pull, Plug, Lose, Duplicate, Reorder, Delay, Rate, Heal, Speed, Remove, Insert:
	default:
		c.add(object, fmt.Sprintf("do: %q is unknown; the actions are pull, plug, lose, duplicate, reorder, delay, rate, heal, "+
			"speed, remove, insert, kill, start, ungroup, regroup", x.Do))
		return
	}
	cable, ok := f.Cables[x.Cable]
	if !ok {
		c.add(object, fmt.Sprintf("there is no cable %q", x.Cable))
		return
	}
	if x.From != "" && cableEnd(cable, x.From) < 0 {
		c.add(object, fmt.Sprintf("cable %s has no end at %q", x.Cable, x.From))
	}
	if x.Percent < 0 || x.Percent > 100 {
		c.add(object, "percent must be 0 to 100")
	}
	if x.Do == Delay && x.Delay <= 0 {
		c.add(object, "delay needs a time, as delay: 5ms")
	}
	if x.Do == Speed {
		f.checkSpeed(c, object, x)
	}
	if x.Do == Rate && (x.Rate < 1 || x.Rate > maxMegabits) {
		c.add(object, fmt.Sprintf("rate needs a number of 1 to %d Mb/s, as rate: 10", maxMegabits))
	}
}

func (f *File) checkSpeed(c *checker, object string, x Fault) {
	if x.Speed < 1 || x.Speed > maxMegabits {
		c.add(object, fmt.Sprintf("speed needs a number of 1 to %d Mb/s, as speed: 1000", maxMegabits))
	}
	host := slices.ContainsFunc(f.Cables[x.Cable].Ends, func(e string) bool {
		name, _, isHost := strings.Cut(e, ":")
		return isHost && (x.From == "" || x.From == name)
	})
	if !host {
		c.add(object, "a switch has no speed to see; name a cable to a host, or its end at the host")
	}
}

// cableEnd is the index of the end at a host or switch, or -1.
func cableEnd(c Cable, node string) int {
	return slices.IndexFunc(c.Ends, func(e string) bool {
		host, _, _ := strings.Cut(e, ":")
		return host == node
	})
}

func (f *File) checkExpectation(c *checker, object string, e Expectation) {
	named := 0
	for _, name := range []string{e.Probe, e.Port, e.Aggregate} {
		if name != "" {
			named++
		}
	}
	switch {
	case named != 1:
		c.add(object, "names one probe, one port or one aggregate")
	case e.Aggregate != "":
		host, name, _ := strings.Cut(e.Aggregate, ":")
		if _, ok := f.Hosts[host].Aggregates[name]; !ok {
			c.add(object, fmt.Sprintf("there is no aggregate %q; one is written HOST:NAME", e.Aggregate))
		}
	case e.Probe != "":
		if _, ok := f.Probes[e.Probe]; !ok {
			c.add(object, fmt.Sprintf("there is no probe %q", e.Probe))
		}
	case !f.hasCable(e.Port):
		c.add(object, fmt.Sprintf("no cable ends at %q; a port is written HOST:DEVICE", e.Port))
	}
}
