package lacpkernel

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/nstest"
	"github.com/yokelag/yoke/test/rig"
)

// bonding is the kernel's driver in mode 802.3ad.
type bonding struct {
	r *rig.Rig
	s settings
}

func newBonding(r *rig.Rig, s settings) partner { return &bonding{r, s} }

func (b *bonding) device() string { return "bond0" }

func (b *bonding) up() {
	b.r.T.Helper()
	ip := func(words ...string) { b.r.T.Helper(); nstest.Command(b.r.T, b.r.There, "ip", words...) }
	active := "off"
	if b.s.theirActive {
		active = "on"
	}
	ip("link", "add", "bond0", "type", "bond", "mode", "802.3ad", "miimon", "10", "xmit_hash_policy", "layer3+4",
		"lacp_rate", b.s.theirRate, "lacp_active", active)
	for _, port := range cables() {
		b.r.There.SetDown(port)
		ip("link", "set", port, "master", "bond0")
	}
	b.r.There.AddAddr("bond0", rig.ThereAddr+"/24")
	b.r.There.SetUp("bond0")
}

// text is /proc/net/bonding/bond0.
func (b *bonding) text() (out string, err error) {
	err = b.r.There.Run(func() error {
		text, err := os.ReadFile("/proc/thread-self/net/bonding/bond0")
		out = string(text)
		return err
	})
	return out, err
}

func (b *bonding) ports() (map[string]view, error) {
	text, err := b.text()
	if err != nil {
		return nil, err
	}
	return parseBonding(text)
}

// parseBonding reads what the driver says of LACP on each port.
func parseBonding(text string) (map[string]view, error) {
	out := map[string]view{}
	name, v := "", view{}
	var end *agg.LACPEnd
	for line := range strings.Lines(text) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		switch key {
		case "Slave Interface":
			name, v, end = value, view{}, nil
		case "details actor lacp pdu:":
			end = &v.Actor
		case "details partner lacp pdu:":
			end = &v.Partner
		case "MII Status", "Link Failure Count", "Aggregator ID":
			v.Used += key + " " + value + ", "
		default:
			if end == nil || name == "" || key == "" {
				continue
			}
			if err := bondingField(end, key, value); err != nil {
				return nil, fmt.Errorf("%s: %s: %w", name, key, err)
			}
		}
		if name != "" {
			out[name] = v
		}
	}
	return out, nil
}

func bondingField(end *agg.LACPEnd, key, value string) error {
	if key == "system mac address" {
		mac, err := agg.ParseMAC(value)
		end.System = mac
		return err
	}
	n, err := strconv.ParseUint(value, 10, 16)
	if err != nil {
		return err
	}
	switch key {
	case "system priority":
		end.SystemPriority = uint16(n)
	case "port key", "oper key":
		end.Key = uint16(n)
	case "port priority":
		end.PortPriority = uint16(n)
	case "port number":
		end.Port = uint16(n)
	case "port state":
		end.State = uint8(n)
	default:
		return fmt.Errorf("is not known, with the value %q", value)
	}
	return nil
}
