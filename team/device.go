package team

import (
	"fmt"
)

// Device is one team device. It keeps no copy of anything: every method asks the driver,
// so that what others change is seen. Its methods are safe for concurrent use.
type Device struct {
	driver Driver
	name   string
	index  int
}

// Use gives the device of a known ifindex. The name is for errors. Nothing is asked.
func Use(d Driver, name string, index int) *Device { return &Device{d, name, index} }

// Name is the name the device was found under.
func (d *Device) Name() string { return d.name }

// Index is the ifindex.
func (d *Device) Index() int { return d.index }

// Options reads all options.
func (d *Device) Options() (Options, error) { return d.driver.Options(d.index) }

// Ports reads the ports, in the driver's order.
func (d *Device) Ports() ([]Port, error) { return d.driver.Ports(d.index) }

// AddPort makes an interface a port. It must be down.
func (d *Device) AddPort(port int) error { return d.driver.AddPort(d.index, port) }

// RemovePort gives a port back, down.
func (d *Device) RemovePort(port int) error { return d.driver.RemovePort(d.index, port) }

// SetCarrier sets the device's carrier; from then on the driver leaves it alone.
func (d *Device) SetCarrier(up bool) error { return d.driver.SetCarrier(d.index, up) }

// Destroy removes the device and gives its ports back.
func (d *Device) Destroy() error { return d.driver.Destroy(d.index) }

// Get reads one option; [ErrNoOption] where there is none.
func (d *Device) Get(k Key) (Value, error) {
	options, err := d.Options()
	if err != nil {
		return Value{}, err
	}
	v, ok := options.Find(k)
	if !ok {
		return Value{}, failed("read option "+k.String(), d.name, ErrNoOption)
	}
	return v, nil
}

// Set sets one option.
func (d *Device) Set(k Key, v Value) error {
	return d.SetAll(Option{Key: k, Value: v})
}

// SetAll sets several options in order. It ends at the first error, and what was set
// before stays.
func (d *Device) SetAll(options ...Option) error {
	for _, o := range options {
		if o.Value.kind == String && len(o.Value.data) > MaxString {
			return failed("set option "+o.Key.String(), d.name, fmt.Errorf("%d bytes are too long, the driver takes %d", len(o.Value.data), MaxString))
		}
	}
	return d.driver.SetOptions(d.index, options...)
}

// get reads an option and checks its type.
func (d *Device) get(k Key, kind Type) (Value, error) {
	v, err := d.Get(k)
	if err == nil && v.kind != kind {
		err = failed("read option "+k.String(), d.name, fmt.Errorf("has type %v, expected %v", v.kind, kind))
	}
	return v, err
}

// Mode is how the driver chooses ports, ModeNone in a new device.
func (d *Device) Mode() (string, error) {
	v, err := d.get(Key{Name: OptMode}, String)
	return v.String(), err
}

// SetMode changes the mode. The device must have no port (EBUSY), and the mode must be
// another than it has (EINVAL). Options of the old mode go, and the carrier is the
// driver's again.
func (d *Device) SetMode(mode string) error { return d.Set(Key{Name: OptMode}, StringValue(mode)) }

// ActivePort is the ifindex of the port that carries in mode activebackup, 0 for none.
func (d *Device) ActivePort() (int, error) {
	v, err := d.get(Key{Name: OptActivePort}, U32)
	return int(v.U32()), err
}

// SetActivePort makes a port carry in mode activebackup. ENOENT where it is no port.
func (d *Device) SetActivePort(port int) error {
	return d.Set(Key{Name: OptActivePort}, U32Value(uint32(port)))
}

// Enabled tells whether the driver uses a port at all.
func (d *Device) Enabled(port int) (bool, error) {
	v, err := d.get(On(OptEnabled, port), Bool)
	return v.Bool(), err
}

// SetEnabled makes the driver use a port or not. A port that was just added is enabled.
func (d *Device) SetEnabled(port int, on bool) error {
	return d.Set(On(OptEnabled, port), BoolValue(on))
}

// UserLinkup is the link of a port as user space sees it, and whether that counts
// instead of the port's own.
func (d *Device) UserLinkup(port int) (up, counts bool, err error) {
	options, err := d.Options()
	if err != nil {
		return false, false, err
	}
	u, known := options.Find(On(OptUserLinkup, port))
	if !known {
		return false, false, failed("read option "+On(OptUserLinkup, port).String(), d.name, ErrNoOption)
	}
	c, _ := options.Find(On(OptUserLinkupEnabled, port))
	return u.Bool(), c.Bool(), nil
}

// SetUserLinkup sets the link of a port as user space sees it.
func (d *Device) SetUserLinkup(port int, up bool) error {
	return d.Set(On(OptUserLinkup, port), BoolValue(up))
}

// SetUserLinkupEnabled makes the link that user space sees count, or the port's own.
func (d *Device) SetUserLinkupEnabled(port int, on bool) error {
	return d.Set(On(OptUserLinkupEnabled, port), BoolValue(on))
}

// Priority is a port's place among those with the same queue, the lowest first.
func (d *Device) Priority(port int) (int32, error) {
	v, err := d.get(On(OptPriority, port), S32)
	return v.S32(), err
}

// SetPriority sets it. The driver sorts again only when the port is enabled next.
func (d *Device) SetPriority(port int, p int32) error {
	return d.Set(On(OptPriority, port), S32Value(p))
}

// QueueID is the transmit queue whose frames leave by the port, 0 for none.
func (d *Device) QueueID(port int) (uint32, error) {
	v, err := d.get(On(OptQueueID, port), U32)
	return v.U32(), err
}

// SetQueueID sets it; EINVAL where the device has fewer queues.
func (d *Device) SetQueueID(port int, queue uint32) error {
	return d.Set(On(OptQueueID, port), U32Value(queue))
}

// Burst is how often something is announced when a port becomes enabled.
type Burst struct {
	// Count is how often, 0 for never.
	Count uint32
	// Period is the time between two, in milliseconds.
	Period uint32
}

// NotifyPeers reads how gratuitous ARP and unsolicited neighbour advertisements are sent.
func (d *Device) NotifyPeers() (Burst, error) {
	return d.burst(OptNotifyPeersCount, OptNotifyPeersPeriod)
}

// SetNotifyPeers sets it.
func (d *Device) SetNotifyPeers(b Burst) error {
	return d.setBurst(OptNotifyPeersCount, OptNotifyPeersPeriod, b)
}

// McastRejoin reads how IGMP memberships are reported again.
func (d *Device) McastRejoin() (Burst, error) {
	return d.burst(OptMcastRejoinCount, OptMcastRejoinPeriod)
}

// SetMcastRejoin sets it.
func (d *Device) SetMcastRejoin(b Burst) error {
	return d.setBurst(OptMcastRejoinCount, OptMcastRejoinPeriod, b)
}

func (d *Device) burst(count, period string) (Burst, error) {
	options, err := d.Options()
	if err != nil {
		return Burst{}, err
	}
	c, _ := options.Find(Key{Name: count})
	p, _ := options.Find(Key{Name: period})
	return Burst{c.U32(), p.U32()}, nil
}

func (d *Device) setBurst(count, period string, b Burst) error {
	return d.SetAll(Option{Key: Key{Name: count}, Value: U32Value(b.Count)}, Option{Key: Key{Name: period}, Value: U32Value(b.Period)})
}
