package lab

import (
	"context"
	"fmt"
	"time"
)

// FaultTime is when a fault really happened.
type FaultTime struct {
	Fault Fault  `json:"-"`
	Text  string `json:"text"`
	// Began is when the lab began to cause it, in nanoseconds of CLOCK_REALTIME; Took is
	// how long the kernel took. A cut lies between the two.
	Began int64         `json:"began_ns"`
	Took  time.Duration `json:"took_ns"`
}

// String describes a fault in words.
func (f Fault) String() string {
	from := ""
	if f.From != "" {
		from = " from " + f.From
	}
	switch f.Do {
	case Lose, Duplicate, Reorder, Delay, Rate:
		return fmt.Sprintf("cable %s %v%s", f.Cable, harm{}.with(f), from)
	case Speed:
		return fmt.Sprintf("cable %s comes back with %d Mb/s", f.Cable, f.Speed)
	case Heal:
		return fmt.Sprintf("heal cable %s%s", f.Cable, from)
	case Kill:
		return "kill -9 the daemon of " + f.Host
	case Start:
		return "start the daemon of " + f.Host
	case Ungroup:
		return fmt.Sprintf("switch %s forgets group %s", f.Switch, f.Group)
	case Regroup:
		return fmt.Sprintf("switch %s knows group %s again", f.Switch, f.Group)
	default:
		return fmt.Sprintf("%s cable %s", f.Do, f.Cable)
	}
}

func (f Fault) percent() int {
	if f.Percent == 0 {
		return 100
	}
	return f.Percent
}

// Cause makes a fault happen now.
func (l *Lab) Cause(ctx context.Context, f Fault) (FaultTime, error) {
	began := time.Now()
	err := l.act(ctx, f)
	t := FaultTime{Fault: f, Text: f.String(), Began: began.UnixNano(), Took: time.Since(began)}
	if err != nil {
		err = fmt.Errorf("%s: %w", t.Text, err)
	}
	return t, err
}

func (l *Lab) act(ctx context.Context, f Fault) error {
	c, h := l.cables[f.Cable], l.hosts[f.Host]
	switch f.Do {
	case Pull:
		return c.setCarrier(false)
	case Plug:
		return c.setCarrier(true)
	case Lose, Duplicate, Reorder, Delay, Rate, Heal:
		return c.suffer(f)
	case Speed:
		return c.setSpeed(f.From, f.Speed)
	case Remove:
		return c.remove()
	case Insert:
		if err := c.insert(l.needs(f.Cable)); err != nil {
			return err
		}
		return l.configureEnds(c)
	case Kill:
		return h.daemon.kill()
	case Start:
		return l.startDaemon(ctx, h)
	case Ungroup, Regroup:
		return l.switches[f.Switch].regroup(ctx, f.Group, f.Do == Regroup)
	default:
		return fmt.Errorf("unknown action %q", f.Do)
	}
}

// configureEnds gives the hosts at a cable's new devices their addresses again.
func (l *Lab) configureEnds(c *cable) error {
	for _, e := range c.ends {
		if h, ok := l.hosts[e.node]; ok && e.sw == nil {
			if err := h.space.do(func() error { return l.configure(h) }); err != nil {
				return err
			}
		}
	}
	return nil
}
