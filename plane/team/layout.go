package team

import (
	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/team"
)

// layout is what a plan makes of the driver: a mode, and the values of options in the
// order in which they are set.
type layout struct {
	mode string
	// before are set first: a port's queue counts from when it is enabled, and its link is
	// the interface's, whatever whoever had the device before said of it.
	before []team.Option
	// enable and disable are of ports. Ports are disabled last, so that there is always one.
	enable, disable []team.Option
	// choose says where frames go; the driver takes enabled ports only.
	choose []team.Option
}

func modeOf(plan agg.Plan) string {
	switch plan.Select {
	case agg.SelectRoundRobin:
		return team.ModeRoundRobin
	case agg.SelectRandom:
		return team.ModeRandom
	case agg.SelectBroadcast:
		return team.ModeBroadcast
	case agg.SelectFixed:
		receive := 0
		for _, pp := range plan.Ports {
			if pp.Receive {
				receive++
			}
		}
		if receive <= 1 {
			return team.ModeActiveBackup
		}
	case agg.SelectBuckets, agg.SelectModulo:
	}
	return team.ModeLoadBalance
}

// perPortAddress: in these modes the driver leaves the addresses of ports alone.
func perPortAddress(plan agg.Plan) bool {
	m := modeOf(plan)
	return m == team.ModeActiveBackup || m == team.ModeLoadBalance
}

// lay computes the layout.
func lay(plan agg.Plan) (layout, error) {
	l := layout{mode: modeOf(plan)}
	for i, pp := range plan.Ports {
		if pp.Index == 0 {
			continue
		}
		l.before = append(l.before, team.Option{
			Key: team.On(team.OptQueueID, pp.Index), Value: team.U32Value(uint32(pp.QueueID)),
		}, team.Option{
			Key: team.On(team.OptUserLinkupEnabled, pp.Index), Value: team.BoolValue(false),
		})
		on := !plan.Blocked && uses(plan, l.mode, i)
		o := team.Option{Key: team.On(team.OptEnabled, pp.Index), Value: team.BoolValue(on)}
		if on {
			l.enable = append(l.enable, o)
		} else {
			l.disable = append(l.disable, o)
		}
	}
	if plan.Blocked || len(plan.Table) == 0 || plan.Table[0].First == agg.NoPort {
		return l, nil
	}
	switch l.mode {
	case team.ModeActiveBackup:
		l.choose = []team.Option{{
			Key: team.Key{Name: team.OptActivePort}, Value: team.U32Value(uint32(plan.Ports[plan.Table[0].First].Index)),
		}}
	case team.ModeLoadBalance:
		return l, l.balance(plan)
	}
	return l, nil
}

// uses reports whether the driver is to use a port: those that receive where it has a
// table for what is sent, otherwise those of the table.
func uses(plan agg.Plan, mode string, port int) bool {
	if len(plan.Table) == 0 || plan.Table[0].First == agg.NoPort {
		return false
	}
	if mode == team.ModeLoadBalance {
		return plan.Ports[port].Receive
	}
	for _, c := range plan.Table {
		if c.First == port {
			return true
		}
	}
	return false
}

// balance maps the table's entries. The program comes last: what it computes may be
// beyond the old table and not beyond the new one.
func (l *layout) balance(plan agg.Plan) error {
	code, err := program(plan)
	if err != nil {
		return err
	}
	for i, c := range plan.Table {
		l.choose = append(l.choose, team.Option{
			Key: team.At(team.OptHashToPort, i), Value: team.U32Value(uint32(plan.Ports[c.First].Index)),
		})
	}
	l.choose = append(l.choose,
		team.Option{Key: team.Key{Name: team.OptHashFunction}, Value: team.ProgramValue(code)},
		team.Option{Key: team.Key{Name: team.OptTxMethod}, Value: team.StringValue(team.MethodMapping)})
	return nil
}

// all are the options of the layout, in order.
func (l layout) all() []team.Option {
	var out []team.Option
	for _, part := range [][]team.Option{l.before, l.enable, l.choose, l.disable} {
		out = append(out, part...)
	}
	return out
}

// differing are those of the layout that have another value in the driver.
func (l layout) differing(have team.Options) []team.Option {
	values := make(map[team.Key]team.Value, len(have))
	for _, o := range have {
		values[o.Key] = o.Value
	}
	var out []team.Option
	for _, o := range l.all() {
		if v, ok := values[o.Key]; !ok || v != o.Value {
			out = append(out, o)
		}
	}
	return out
}
