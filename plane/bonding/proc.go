package bonding

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/yokelag/yoke/agg"
)

// Proc is what /proc/net/bonding/NAME says: the text that people and tools read. It knows
// the partner of each port, which netlink does not tell.
type Proc struct {
	// Fields are the lines before the first port, by label, and Ports the same of each.
	Fields map[string]string
	Ports  []ProcPort
}

// ProcPort is one port's part of the text.
type ProcPort struct {
	Name   string
	Fields map[string]string
	// Actor and Partner are the last LACPDUs' contents, nil outside mode 802.3ad and for
	// readers without CAP_NET_ADMIN.
	Actor, Partner *ProcSystem
}

// ProcSystem is one end of a link as LACP has it.
type ProcSystem struct {
	Priority     uint16
	MAC          agg.MAC
	Key          uint16
	PortPriority uint16
	Port         uint16
	State        uint8
}

// ParseProc reads the text. Labels that it does not know are kept in Fields.
func ParseProc(text string) (Proc, error) {
	p := Proc{Fields: map[string]string{}}
	fields := p.Fields
	var port *ProcPort
	var end map[string]string
	var ends []map[string]string
	for line := range strings.Lines(text) {
		label, value, found := strings.Cut(strings.TrimRight(line, "\n"), ":")
		value = strings.TrimSpace(value)
		switch {
		case !found:
		case label == "Slave Interface":
			p.Ports = append(p.Ports, ProcPort{Name: value, Fields: map[string]string{}})
			port = &p.Ports[len(p.Ports)-1]
			fields, end = port.Fields, nil
			ends = append(ends, nil, nil)
		case strings.HasPrefix(label, "details ") && port != nil:
			end = map[string]string{}
			which := len(ends) - 2
			if strings.HasPrefix(label, "details partner") {
				which++
			}
			ends[which] = end
		case end != nil && strings.HasPrefix(label, "    "):
			end[strings.TrimSpace(label)] = value
		default:
			fields[strings.TrimSpace(label)] = value
		}
	}
	if p.Fields["Bonding Mode"] == "" {
		return Proc{}, fmt.Errorf("this is no text of /proc/net/bonding: it has no mode")
	}
	for i := range p.Ports {
		var err error
		if p.Ports[i].Actor, err = procSystem(ends[2*i], "port key"); err != nil {
			return Proc{}, fmt.Errorf("actor of %s: %w", p.Ports[i].Name, err)
		}
		if p.Ports[i].Partner, err = procSystem(ends[2*i+1], "oper key"); err != nil {
			return Proc{}, fmt.Errorf("partner of %s: %w", p.Ports[i].Name, err)
		}
	}
	return p, nil
}

func procSystem(fields map[string]string, key string) (*ProcSystem, error) {
	if fields == nil {
		return nil, nil
	}
	var s ProcSystem
	for label, into := range map[string]*uint16{
		"system priority": &s.Priority, key: &s.Key, "port priority": &s.PortPriority, "port number": &s.Port,
	} {
		n, err := strconv.ParseUint(fields[label], 10, 16)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", label, err)
		}
		*into = uint16(n)
	}
	n, err := strconv.ParseUint(fields["port state"], 10, 8)
	if err != nil {
		return nil, fmt.Errorf("port state: %w", err)
	}
	s.State = uint8(n)
	s.MAC, err = agg.ParseMAC(fields["system mac address"])
	return &s, err
}
