package team

import "errors"

// Watcher reports what changes of one device. One goroutine may call Next, another Close.
type Watcher struct {
	device  *Device
	stream  Subscription
	options map[Key]Value
	ports   map[int]Port
	stale   bool // everything has to be read again
}

// Watch begins to report. The first Next reports everything there is.
func (d *Device) Watch() (*Watcher, error) {
	// First the stream, then the first look: what changes between the two is in both.
	s, err := d.driver.Subscribe()
	if err != nil {
		return nil, err
	}
	return &Watcher{device: d, stream: s, options: map[Key]Value{}, ports: map[int]Port{}, stale: true}, nil
}

// Close ends the watching, and a waiting Next.
func (w *Watcher) Close() error { return w.stream.Close() }

// Next waits until something of the device has another value than was reported last, and
// returns the new values; never an empty Change. Where the kernel dropped events
// everything is read again. The error is [ErrClosed] after Close, and [ErrNotTeam] when
// the device is gone and events were lost.
func (w *Watcher) Next() (Change, error) {
	for {
		c, err := w.once()
		if err != nil || len(c.Options) > 0 || len(c.Ports) > 0 {
			return c, err
		}
	}
}

func (w *Watcher) once() (Change, error) {
	if w.stale {
		return w.readAll()
	}
	c, err := w.stream.Next()
	if errors.Is(err, ErrLost) {
		return w.readAll()
	}
	if err != nil || c.Device != w.device.index {
		return Change{}, err
	}
	out := Change{Device: c.Device}
	for _, o := range c.Options {
		w.option(&out, o)
	}
	for _, p := range c.Ports {
		w.port(&out, p)
	}
	return out, nil
}

// readAll compares everything with what is known.
func (w *Watcher) readAll() (Change, error) {
	w.stale = true
	options, err := w.device.Options()
	if err != nil {
		return Change{}, err
	}
	ports, err := w.device.Ports()
	if err != nil {
		return Change{}, err
	}
	w.stale = false
	out := Change{Device: w.device.index}
	seen := map[Key]bool{}
	for _, o := range options {
		seen[o.Key] = true
		w.option(&out, o)
	}
	for k, v := range w.options {
		if !seen[k] {
			w.option(&out, Option{Key: k, Value: v, Removed: true})
		}
	}
	there := map[int]bool{}
	for _, p := range ports {
		there[p.Index] = true
		w.port(&out, p)
	}
	for i, p := range w.ports {
		if !there[i] {
			p.Removed = true
			w.port(&out, p)
		}
	}
	return out, nil
}

// option adds an option to the report where it has changed.
func (w *Watcher) option(out *Change, o Option) {
	old, known := w.options[o.Key]
	if o.Removed && !known || !o.Removed && known && old == o.Value {
		return
	}
	if o.Removed {
		delete(w.options, o.Key)
	} else {
		w.options[o.Key] = o.Value
	}
	out.Options = append(out.Options, o)
}

// port adds a port to the report where it has changed.
func (w *Watcher) port(out *Change, p Port) {
	old, known := w.ports[p.Index]
	if p.Removed && !known || !p.Removed && known && old == p {
		return
	}
	if p.Removed {
		delete(w.ports, p.Index)
	} else {
		w.ports[p.Index] = p
	}
	out.Ports = append(out.Ports, p)
}
