package teamtest

import (
	"golang.org/x/sys/unix"

	"github.com/yokelag/yoke/team"
)

// SetOptions implements [team.Driver], by the rules of the kernel's driver.
func (d *Driver) SetOptions(device int, options ...team.Option) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	dev, err := d.with("set options", device)
	if err != nil {
		return err
	}
	for _, o := range options {
		before := append(team.Options(nil), dev.options...)
		if err := dev.set(o); err != nil {
			return fail("set option "+o.String(), device, err)
		}
		d.tell(team.Change{Device: device, Options: difference(before, dev.options)})
	}
	return nil
}

// difference is what is new, has another value or is gone.
func difference(before, after team.Options) []team.Option {
	var out []team.Option
	for _, o := range after {
		if v, ok := before.Find(o.Key); !ok || v != o.Value {
			out = append(out, o)
		}
	}
	for _, o := range before {
		if _, ok := after.Find(o.Key); !ok {
			o.Removed = true
			out = append(out, o)
		}
	}
	return out
}

func (dev *device) set(o team.Option) error {
	have := dev.option(o.Key)
	if have == nil || have.Value.Type() != o.Value.Type() {
		return unix.ENOENT
	}
	switch o.Name {
	case team.OptMode:
		return dev.setMode(o.Value.String())
	case team.OptActivePort:
		if dev.port(int(o.Value.U32())) < 0 {
			return unix.ENOENT
		}
	case team.OptHashToPort:
		enabled := dev.option(team.On(team.OptEnabled, int(o.Value.U32())))
		if enabled == nil || !enabled.Value.Bool() {
			return unix.ENODEV
		}
	case team.OptTxMethod:
		if m := o.Value.String(); m != team.MethodHash && m != team.MethodMapping {
			return unix.EINVAL
		}
	case team.OptHashFunction:
		if _, err := team.ParseProgram(o.Value); err != nil {
			return unix.EINVAL
		}
	case team.OptHashStats, team.OptPortStats:
		return unix.EOPNOTSUPP
	case team.OptEnabled:
		if !o.Value.Bool() {
			dev.unmap(o.Port)
		}
	}
	have.Value = o.Value
	return nil
}

// unmap clears the hashes of a port that is not enabled any more.
func (dev *device) unmap(port int) {
	for i := range dev.options {
		if o := &dev.options[i]; o.Name == team.OptHashToPort && o.Value.U32() == uint32(port) {
			o.Value = team.U32Value(0)
		}
	}
}

func (dev *device) setMode(mode string) error {
	have := dev.option(team.Key{Name: team.OptMode})
	switch {
	case len(dev.ports) > 0:
		return unix.EBUSY
	case have.Value.String() == mode:
		return unix.EINVAL
	}
	var own []team.Option
	switch mode {
	case team.ModeBroadcast, team.ModeRoundRobin, team.ModeRandom:
	case team.ModeActiveBackup:
		own = []team.Option{{Key: team.Key{Name: team.OptActivePort}, Value: team.U32Value(0)}}
	case team.ModeLoadBalance:
		own = balanceOptions()
	default:
		return unix.EINVAL
	}
	have.Value = team.StringValue(mode)
	dev.drop(func(o team.Option) bool {
		switch o.Name {
		case team.OptActivePort, team.OptHashFunction, team.OptTxMethod, team.OptHashToPort, team.OptHashStats, team.OptStatsRefreshPeriod:
			return true
		}
		return false
	})
	dev.options = append(dev.options, own...)
	return nil
}

func balanceOptions() []team.Option {
	out := []team.Option{
		{Key: team.Key{Name: team.OptHashFunction}, Value: team.BinaryValue(nil)},
		{Key: team.Key{Name: team.OptTxMethod}, Value: team.StringValue(team.MethodHash)},
		{Key: team.Key{Name: team.OptStatsRefreshPeriod}, Value: team.U32Value(0)},
	}
	for i := range team.Hashes {
		out = append(out,
			team.Option{Key: team.At(team.OptHashToPort, i), Value: team.U32Value(0)},
			team.Option{Key: team.At(team.OptHashStats, i), Value: team.BinaryValue(make([]byte, 8))})
	}
	return out
}
