package daemon

import (
	"net"
	"os"
	"path/filepath"
	"regexp"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/ethtool"
	"github.com/yokelag/yoke/internal/iface"
	"github.com/yokelag/yoke/plane/device"
)

// AnyLink implements world.
func (w *kernelWorld) AnyLink() (wake <-chan struct{}, cancel func()) { return w.links.SubscribeAny() }

// Interfaces implements world.
func (w *kernelWorld) Interfaces(drivers bool) ([]agg.Identity, error) {
	all, err := iface.All(iface.Here)
	if err != nil {
		return nil, err
	}
	asker, err := ethtool.Open()
	if err != nil {
		return nil, err
	}
	defer asker.Close()
	var out []agg.Identity
	for _, l := range all {
		if _, ours := device.AggregateOf(l.Alias); ours || !l.Ethernet || l.Flags&net.FlagLoopback != 0 {
			continue
		}
		i := agg.Identity{Name: l.Name, MAC: macOf(l.HardwareAddr), PermanentMAC: macOf(l.PermHWAddr), Path: placeOf(l)}
		if drivers {
			i.Driver, _ = asker.Driver(l.Name) // a device without a driver's name has none
		}
		out = append(out, i)
	}
	return out, nil
}

func macOf(a net.HardwareAddr) agg.MAC {
	if len(a) != len(agg.MAC{}) {
		return agg.MAC{}
	}
	return agg.MAC(a)
}

// pciPlace finds the last device of PCI on the way to a device.
var pciPlace = regexp.MustCompile(`^.*/([0-9a-f]{4,}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7])(?:/|$)`)

// placeOf is where the hardware of an interface is: its bus and place there. A virtio device
// of PCI is where PCI has it, as its own number depends on the others.
func placeOf(l iface.Link) string {
	if l.ParentDev == "" || l.ParentDevBus == "" {
		return ""
	}
	if l.ParentDevBus == "virtio" {
		// Not /sys/class/net, which shows the namespace of whoever mounted it.
		full, err := filepath.EvalSymlinks(filepath.Join("/sys/bus", l.ParentDevBus, "devices", filepath.Base(l.ParentDev)))
		if err == nil || os.IsNotExist(err) {
			return virtioPlace(full, l.ParentDev)
		}
	}
	return l.ParentDevBus + "-" + l.ParentDev
}

// virtioPlace is the place of a virtio device whose path below /sys is full, empty where
// that is not known.
func virtioPlace(full, name string) string {
	if m := pciPlace.FindStringSubmatch(full); m != nil {
		return "pci-" + m[1]
	}
	return "virtio-" + name
}
