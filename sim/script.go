package sim

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/yokelag/yoke/agg"
)

// Deed is what happens in a step.
type Deed uint8

// The deeds. Each is about one port, or about the whole world.
const (
	Pull     Deed = iota // the port's cable is pulled
	Plug                 // and put back
	AdminOff             // somebody sets the port down
	AdminOn              // and up
	Forget               // the speed becomes unknown
	Learn                // and known again
	Delete               // the interface is removed
	Create               // and made again
	Overrun              // events are lost until all is read again
	Stubborn             // one call in three is refused from now on
	Obliging             // no more
	Restart              // the daemon ends and another one adopts
	Change               // the spec changes: the port leaves, or joins again
	Calm                 // nothing, for long enough to settle
)

// String names the deed in the story of a run.
func (d Deed) String() string {
	names := [...]string{
		"pull", "plug", "admin-off", "admin-on", "forget-speed", "learn-speed", "delete", "create",
		"overrun", "stubborn", "obliging", "restart", "change", "calm",
	}
	if int(d) < len(names) {
		return names[d]
	}
	return "unknown"
}

// Step is one thing that happens, and the time until the next.
type Step struct {
	Deed  Deed
	Port  string
	Pause time.Duration
}

// String tells the step.
func (s Step) String() string { return fmt.Sprintf("%s %s, then %v", s.Deed, s.Port, s.Pause) }

// Script is a whole run.
type Script struct {
	Seed  uint64
	Spec  agg.Spec
	Steps []Step
}

// opposite pairs deeds, so that a world does not end with everything broken.
func opposite(d Deed) Deed {
	if d <= Create {
		return d ^ 1
	}
	if d == Stubborn {
		return Obliging
	}
	return d
}

// NewScript makes the run of a seed, steps long.
func NewScript(seed uint64, steps int) Script {
	random := rand.New(rand.NewPCG(seed, 0x796f6b65))
	s := Script{Seed: seed, Spec: randomSpec(random)}
	var open []Step
	for len(s.Steps) < steps {
		step := Step{Deed: randomDeed(random), Port: s.Spec.Ports[random.IntN(len(s.Spec.Ports))].Name}
		if len(open) > 0 && random.IntN(2) == 0 {
			step = open[0]
			open = open[1:]
		} else if o := opposite(step.Deed); o != step.Deed {
			open = append(open, Step{Deed: o, Port: step.Port})
		}
		step.Pause = time.Duration(random.Int64N(int64(250 * time.Millisecond)))
		if step.Deed == Calm {
			step.Pause = 5 * time.Second
		}
		s.Steps = append(s.Steps, step)
	}
	return s
}

func randomDeed(random *rand.Rand) Deed {
	common := []Deed{Pull, Pull, Pull, AdminOff, Forget, Delete}
	if random.IntN(4) > 0 {
		return common[random.IntN(len(common))]
	}
	rare := []Deed{Overrun, Stubborn, Restart, Change, Calm, Calm}
	return rare[random.IntN(len(rare))]
}

func randomSpec(random *rand.Rand) agg.Spec {
	spec := agg.Spec{Name: "bond0", Options: agg.Settings{"mode": "active-backup"}}
	choose := func(words ...string) string { return words[random.IntN(len(words))] }
	switch random.IntN(3) {
	case 0:
		spec.Options["primary"] = "eth2"
		spec.Options["primary_reselect"] = choose("always", "better", "failure")
	default:
		spec.Options["mode"] = "balance-xor"
		spec.Options["hash_map"] = choose("buckets", "buckets", "modulo")
	}
	if random.IntN(3) == 0 {
		spec.Options["updelay"] = choose("50ms", "200ms")
		spec.Options["downdelay"] = choose("0s", "100ms")
	}
	for i := range 1 + random.IntN(5) {
		spec.Ports = append(spec.Ports, agg.PortSpec{Name: fmt.Sprintf("eth%d", i+1)})
	}
	return spec
}
