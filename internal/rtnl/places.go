package rtnl

// place is what is remembered of an interface that somebody is subscribed to.
type place struct {
	index int  // its ifindex when it was there last
	moved bool // it went to another network namespace
}

// places are by name.
type places map[string]place

func (p places) note(name string, index int) {
	if was := p[name]; was.index != index || was.moved {
		p[name] = place{index: index}
	}
}

// event notes where an interface has gone, and that it is back.
func (p places) event(s linkState, gone bool) {
	if was, known := p[s.name]; known && was.index == s.index {
		was.moved = gone && s.moved
		p[s.name] = was
	}
}

// Remember tells where an interface was that may have another name now: what an earlier
// process knew. It counts for interfaces that somebody is subscribed to.
func (l *Listener) Remember(name string, index int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, known := l.places[name]; !known && len(l.byName[name]) > 0 {
		l.places[name] = place{index: index}
	}
}

// absent describes an interface that is not there, and where it has gone.
func (l *Listener) absent(name string) Link {
	out := Link{Name: name}
	l.mu.Lock()
	was, known := l.places[name]
	l.mu.Unlock()
	if !known {
		return out
	}
	out.Moved = was.moved
	if s, present, err := l.query.byIndex(was.index); err == nil && present && s.name != name {
		out.RenamedTo = s.name
	}
	return out
}

// masterOf names the device that a link is a port of, empty where it is of none.
func (l *Listener) masterOf(s linkState) string {
	if s.master == 0 {
		return ""
	}
	m, _, _ := l.query.byIndex(s.master) // gone meanwhile: none
	return m.name
}
