package lacp

// rank is what policies compare of an aggregator. Only ports whose partner is current
// count.
type rank struct {
	together  bool // no individual link
	ports     int
	speed     uint64
	priority  uint64 // sum of actor port priorities
	prefer    int32  // highest Port.Prio
	system    uint64 // the better system's ID and, of its ports here, the best ID
	portID    uint32
	hasLeader bool
}

func (s *System) rankOf(aggregator uint16) rank {
	var r rank
	for _, p := range s.ports {
		if p.Aggregator != aggregator || p.Selected == Unselected || p.Rx != RxCurrent {
			continue
		}
		r.together = !p.alone()
		r.ports++
		r.speed += uint64(p.Link.Speed)
		r.priority += uint64(p.cfg.Priority)
		system, id := min(p.Actor.SystemID(), p.Partner.SystemID()), p.decidingID()
		if !r.hasLeader || system < r.system || system == r.system && id < r.portID {
			r.system, r.portID = system, id
		}
		if !r.hasLeader || p.cfg.Prio > r.prefer {
			r.prefer = p.cfg.Prio
		}
		r.hasLeader = true
	}
	return r
}

// beats reports whether aggregator a is better than b by the policy. Where neither is,
// what is stays, and then the lower number.
func (s *System) beats(a, b uint16) bool {
	x, y := s.rankOf(a), s.rankOf(b)
	if x.hasLeader != y.hasLeader {
		return x.hasLeader
	}
	if x.together != y.together {
		return x.together
	}
	switch s.cfg.Policy {
	case Count:
		return x.ports > y.ports || x.ports == y.ports && x.speed > y.speed
	case ActorPortPrio:
		if x.priority != y.priority {
			return x.priority > y.priority
		}
	case LACPPrio, LACPPrioStable:
		return x.system < y.system || x.system == y.system && x.portID < y.portID
	case PortConfig:
		return x.prefer > y.prefer
	case Stable, Bandwidth: // by speed, as whoever is equal by the others
	}
	return x.speed > y.speed || x.speed == y.speed && x.ports > y.ports
}
