package agg

// checkDelays refuses delays of what nothing watches.
func (s Spec) checkDelays() Problems {
	if s.Config().Watching {
		return nil
	}
	out := checkDelays(s.Name, s.Options)
	for _, p := range s.Ports {
		out = append(out, checkDelays(p.Name, p.Options)...)
	}
	return out
}

func checkDelays(object string, settings Settings) Problems {
	var out Problems
	for _, name := range []string{"updelay", "downdelay"} {
		value, set := settings[name]
		o, _ := Lookup(name, OfPort)
		if text, err := o.Canonical(value); !set || err != nil || text == o.Default {
			continue
		}
		out = append(out, &Problem{
			Code: "conflict", Object: object, Option: name, Value: value,
			Rule: "delays what the watch sees, and watch=none sees nothing", Remedy: "leave it out, or take watch=carrier",
			Fixes: []Fix{{Word: name}, {"watch", "watch=carrier"}},
		})
	}
	return out
}
