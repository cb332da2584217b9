package policy

import "slices"

// promote returns the port that is used although its updelay runs: the one that was
// promoted before and still rises, or, where no port is usable, the rising port that
// waited longest. On equal times the smaller rest wins, then the configured order.
func promote(ports []Candidate, before string) string {
	rises := func(p Candidate) bool { return p.Present && p.Watch.State == Rising }
	if slices.ContainsFunc(ports, func(p Candidate) bool { return p.Name == before && rises(p) }) {
		return before
	}
	if slices.ContainsFunc(ports, func(p Candidate) bool { return p.usable("") }) {
		return ""
	}
	best := -1
	for i, p := range ports {
		if rises(p) && (best < 0 || waitedLonger(p.Watch, ports[best].Watch)) {
			best = i
		}
	}
	if best < 0 {
		return ""
	}
	return ports[best].Name
}

func waitedLonger(a, b Verdict) bool {
	if a.Since != b.Since {
		return a.Since.Before(b.Since)
	}
	return a.Remaining < b.Remaining
}
