package rtnl

// SubscribeAny wakes the receiver when an interface appears, goes or is renamed, and when
// events were lost. cancel ends the subscription.
func (l *Listener) SubscribeAny() (wake <-chan struct{}, cancel func()) {
	w := make(chan struct{}, 1)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.anybody[w] = struct{}{}
	return w, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.anybody, w)
	}
}

// wakeAnybody is for the caller that holds mu.
func (l *Listener) wakeAnybody() {
	for w := range l.anybody {
		signal(w)
	}
}
