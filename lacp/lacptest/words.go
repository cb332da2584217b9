package lacptest

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/lacp"
	"github.com/yokelag/yoke/wire/slow"
)

// assign sets the field of a value that has the JSON name of a word key=value, so that
// scenarios say what Config says.
func assign(to any, word string) error {
	key, value, ok := strings.Cut(word, "=")
	if !ok {
		return fmt.Errorf("%s has no value", word)
	}
	text, err := json.Marshal(to)
	if err != nil {
		return err
	}
	fields := map[string]json.RawMessage{}
	if err := json.Unmarshal(text, &fields); err != nil {
		return err
	}
	fields[key] = json.RawMessage(literal(value))
	if text, err = json.Marshal(fields); err != nil {
		return err
	}
	d := json.NewDecoder(strings.NewReader(string(text)))
	d.DisallowUnknownFields()
	if err := d.Decode(to); err != nil {
		return fmt.Errorf("%s: %w", word, err)
	}
	return nil
}

// literal is the JSON of a word: on, off, a number, a duration, or text.
func literal(v string) string {
	switch v {
	case "on":
		return "true"
	case "off":
		return "false"
	}
	if _, err := strconv.ParseInt(v, 10, 64); err == nil {
		return v
	}
	if d, err := time.ParseDuration(v); err == nil {
		return strconv.FormatInt(int64(d), 10)
	}
	return strconv.Quote(v)
}

func configure(cfg *lacp.Config, words []string) error {
	for _, w := range words {
		if strings.HasPrefix(w, "ports=") || strings.HasPrefix(w, "slot=") || strings.HasPrefix(w, "style=") {
			continue
		}
		if err := assign(cfg, w); err != nil {
			return err
		}
	}
	return nil
}

func (p *player) setPort(n *Node, number uint16, words []string) error {
	cfg := *p.confs[n.Name]
	cfg.Ports = append([]lacp.Port(nil), cfg.Ports...)
	for i := range cfg.Ports {
		if cfg.Ports[i].Number != number {
			continue
		}
		for _, w := range words {
			if w == "gone" {
				cfg.Ports = append(cfg.Ports[:i], cfg.Ports[i+1:]...)
				break
			}
			if err := assign(&cfg.Ports[i], w); err != nil {
				return err
			}
		}
		break
	}
	p.confs[n.Name] = &cfg
	n.Give(lacp.Input{Kind: lacp.Configure, Conf: &cfg})
	return nil
}

func (p *player) link(n *Node, number uint16, words []string) error {
	l := lacp.Link{Up: true, Speed: 10000, FullDuplex: true}
	for _, w := range words {
		if err := assign(&l, w); err != nil {
			return err
		}
	}
	if e := n.ends[number]; e != nil && l.Up {
		e.wire.up = true
	}
	n.Give(lacp.Input{Kind: lacp.LinkChanged, Port: number, Link: l})
	return nil
}

// letters reads a state in the letters of slow.State, "EFDCSGSA" from the highest bit on;
// the last S is the timeout's.
func letters(text string) slow.State {
	var s slow.State
	for i, c := range []byte(fmt.Sprintf("%8s", text)) {
		if c != '.' && c != ' ' {
			s |= 0x80 >> i
		}
	}
	return s
}

func (p *player) say(n *Node, number uint16, words []string) error {
	v := view(n.Machine.(Subject), number)
	a := v.Actor
	us := slow.Info{SystemPriority: a.SystemPriority, System: slow.Addr(a.System), Key: a.Key, PortPriority: a.PortPriority, Port: a.Port, State: a.State}
	pdu := slow.LACPDU{Version: slow.Version1, Partner: us,
		Actor: slow.Info{SystemPriority: 32768, System: slow.Addr{2, 0, 0, 0, 9, 9}, Key: 1, PortPriority: 128, Port: number, State: 0x3f}}
	times := 1
	for _, w := range words {
		key, value, _ := strings.Cut(w, "=")
		if key == "times" {
			times, _ = strconv.Atoi(value)
			continue
		}
		num, _ := strconv.ParseUint(value, 10, 16)
		var err error
		switch key {
		case "version":
			pdu.Version = uint8(num)
		case "state":
			pdu.Actor.State = letters(value)
		case "seen":
			pdu.Partner.State = letters(value)
		case "sees":
			if value == "nobody" {
				pdu.Partner = slow.Info{}
			}
		default:
			err = infoField(&pdu, key, value, uint16(num))
		}
		if err != nil {
			return err
		}
	}
	for range times {
		n.Give(lacp.Input{Kind: lacp.Received, Port: number, Frame: pdu.AppendFrame(nil, slow.Group(), slow.Addr{2, 0, 0, 0, 9, 9})})
	}
	return nil
}

// infoField sets a field of the actor, or with "seen-" before it of the partner.
func infoField(pdu *slow.LACPDU, key, value string, num uint16) error {
	to := &pdu.Actor
	if seen, ok := strings.CutPrefix(key, "seen-"); ok {
		to, key = &pdu.Partner, seen
	}
	switch key {
	case "system":
		mac, err := agg.ParseMAC(value)
		to.System = slow.Addr(mac)
		return err
	case "system_priority":
		to.SystemPriority = num
	case "key":
		to.Key = num
	case "port":
		to.Port = num
	case "port_priority":
		to.PortPriority = num
	default:
		return fmt.Errorf("a LACPDU has no %s", key)
	}
	return nil
}

func (p *player) marker(n *Node, number uint16, words []string) error {
	m := slow.Marker{Version: 1, Type: slow.MarkerInformation, Port: 99, System: slow.Addr{2, 0, 0, 0, 9, 9}}
	times := 1
	for _, w := range words {
		key, value, _ := strings.Cut(w, "=")
		num, err := strconv.Atoi(value)
		if err != nil {
			return err
		}
		switch key {
		case "type":
			m.Type = uint8(num)
		case "id":
			m.Transaction = uint32(num)
		case "times":
			times = num
		}
	}
	for range times {
		n.Give(lacp.Input{Kind: lacp.Received, Port: number, Frame: m.AppendFrame(nil, slow.Group(), slow.Addr{2, 0, 0, 0, 9, 9})})
	}
	return nil
}
