package teamtest

import (
	"fmt"
	"slices"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/yokelag/yoke/team"
)

// Driver is the driver of one imagined namespace. Its methods are safe for concurrent use.
type Driver struct {
	mu      sync.Mutex
	next    int
	devices map[int]*device
	streams map[*stream]struct{}
}

var _ team.Driver = (*Driver)(nil)

// device is one team device. Options keep their order.
type device struct {
	options team.Options
	ports   []team.Port
	carrier bool
}

// New gives a driver without devices.
func New() *Driver {
	return &Driver{next: 1, devices: map[int]*device{}, streams: map[*stream]struct{}{}}
}

// Create makes a device, with an ifindex of its own.
func (d *Driver) Create(name string) *team.Device {
	d.mu.Lock()
	defer d.mu.Unlock()
	index := d.next
	d.next++
	dev := &device{}
	dev.put(team.Key{Name: team.OptMode}, team.StringValue(team.ModeNone))
	for _, option := range []string{
		team.OptNotifyPeersCount, team.OptNotifyPeersPeriod, team.OptMcastRejoinCount, team.OptMcastRejoinPeriod,
	} {
		dev.put(team.Key{Name: option}, team.U32Value(0))
	}
	d.devices[index] = dev
	return team.Use(d, name, index)
}

// NewPort makes an interface that can become a port, and returns its ifindex.
func (d *Driver) NewPort() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.next++
	return d.next - 1
}

// SetLink sets what the driver says of a port's link, as a cable would.
func (d *Driver) SetLink(port int, up bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for index, dev := range d.devices {
		if i := dev.port(port); i >= 0 {
			dev.ports[i].Link = up
			d.tell(team.Change{Device: index, Ports: []team.Port{dev.ports[i]}})
		}
	}
}

// Carrier is the device's carrier as it was set last.
func (d *Driver) Carrier(device int) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	dev := d.devices[device]
	return dev != nil && dev.carrier
}

// Lose makes every subscription lose what it has not read yet, as a full buffer does.
func (d *Driver) Lose() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for s := range d.streams {
		s.lose()
	}
}

func (dev *device) port(index int) int {
	return slices.IndexFunc(dev.ports, func(p team.Port) bool { return p.Index == index })
}

func (dev *device) put(k team.Key, v team.Value) {
	if o := dev.option(k); o != nil {
		o.Value = v
		return
	}
	dev.options = append(dev.options, team.Option{Key: k, Value: v})
}

func (dev *device) option(k team.Key) *team.Option {
	i := slices.IndexFunc(dev.options, func(o team.Option) bool { return o.Key == k })
	if i < 0 {
		return nil
	}
	return &dev.options[i]
}

// drop removes options and returns them as removed.
func (dev *device) drop(which func(team.Option) bool) (gone []team.Option) {
	dev.options = slices.DeleteFunc(dev.options, func(o team.Option) bool {
		if which(o) {
			o.Removed = true
			gone = append(gone, o)
			return true
		}
		return false
	})
	return gone
}

// with finds a device.
func (d *Driver) with(op string, device int) (*device, error) {
	dev := d.devices[device]
	if dev == nil {
		return nil, fail(op, device, team.ErrNotTeam)
	}
	return dev, nil
}

func fail(op string, index int, err error) error {
	return &team.Error{Op: op, Device: fmt.Sprintf("interface %d", index), Err: err}
}

// Options implements [team.Driver].
func (d *Driver) Options(device int) (team.Options, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	dev, err := d.with("read options", device)
	if err != nil {
		return nil, err
	}
	return slices.Clone(dev.options), nil
}

// Ports implements [team.Driver].
func (d *Driver) Ports(device int) ([]team.Port, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	dev, err := d.with("read ports", device)
	if err != nil {
		return nil, err
	}
	return slices.Clone(dev.ports), nil
}

// AddPort implements [team.Driver]. The port has a link.
func (d *Driver) AddPort(device, port int) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	dev, err := d.with("add port", device)
	if err != nil {
		return err
	}
	for _, other := range d.devices {
		if other.port(port) >= 0 {
			return fail("add port", port, unix.EBUSY)
		}
	}
	dev.ports = append(dev.ports, team.Port{Index: port, Link: true, Speed: 10000, FullDuplex: true})
	for _, o := range []team.Option{
		{Key: team.On(team.OptEnabled, port), Value: team.BoolValue(true)},
		{Key: team.On(team.OptUserLinkup, port), Value: team.BoolValue(false)},
		{Key: team.On(team.OptUserLinkupEnabled, port), Value: team.BoolValue(false)},
		{Key: team.On(team.OptPriority, port), Value: team.S32Value(0)},
		{Key: team.On(team.OptQueueID, port), Value: team.U32Value(0)},
	} {
		dev.options = append(dev.options, o)
	}
	d.tell(team.Change{Device: device, Ports: slices.Clone(dev.ports), Options: slices.Clone(dev.options)})
	return nil
}

// RemovePort implements [team.Driver].
func (d *Driver) RemovePort(device, port int) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	dev, err := d.with("remove port", device)
	if err != nil {
		return err
	}
	i := dev.port(port)
	if i < 0 {
		return fail("remove port", port, unix.EINVAL)
	}
	gone := dev.ports[i]
	gone.Removed = true
	dev.ports = slices.Delete(dev.ports, i, i+1)
	dev.unmap(port)
	if o := dev.option(team.Key{Name: team.OptActivePort}); o != nil && o.Value.U32() == uint32(port) {
		o.Value = team.U32Value(0)
	}
	options := dev.drop(func(o team.Option) bool { return o.Port == port })
	d.tell(team.Change{Device: device, Ports: []team.Port{gone}, Options: append(options, dev.options...)})
	return nil
}

// SetCarrier implements [team.Driver].
func (d *Driver) SetCarrier(device int, up bool) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	dev, err := d.with("set carrier", device)
	if err != nil {
		return err
	}
	dev.carrier = up
	return nil
}

// Destroy implements [team.Driver].
func (d *Driver) Destroy(device int) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, err := d.with("destroy", device); err != nil {
		return err
	}
	delete(d.devices, device)
	return nil
}
