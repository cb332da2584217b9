package lacptest

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/yokelag/yoke/lacp"
)

// expect fails where a system or a port is not what the words say.
func (p *player) expect(object string, words []string) error {
	if node, err := p.node(object); err == nil {
		return p.expectSystem(node, words)
	}
	if object == "every" {
		return p.expectAll(words[0])
	}
	node, number, err := p.port(object)
	if err != nil {
		return err
	}
	s := node.Machine.(Subject)
	for _, w := range words {
		if got := portIs(s, number, w); got != "" {
			return fmt.Errorf("%s is %s; %s: %s", object, got, s.Gate(number).Reason, s.Gate(number).Detail)
		}
	}
	return nil
}

// expectAll expects a number of ports that send, over all systems.
func (p *player) expectAll(word string) error {
	sends := 0
	for _, n := range p.net.Nodes {
		for _, c := range p.confs[n.Name].Ports {
			if view(n.Machine.(Subject), c.Number).Sends {
				sends++
			}
		}
	}
	if got := fmt.Sprintf("sends=%d", sends); got != word {
		return fmt.Errorf("%s over every system", got)
	}
	return nil
}

func (p *player) expectSystem(n *Node, words []string) error {
	s := n.Machine.(Subject)
	sends := 0
	var why []string
	for _, c := range p.confs[n.Name].Ports {
		if view(s, c.Number).Sends {
			sends++
		} else {
			why = append(why, fmt.Sprintf("%d: %s", c.Number, s.Gate(c.Number).Reason))
		}
	}
	carrier := map[bool]string{true: "up", false: "down"}[s.Carrier()]
	for _, w := range words {
		switch key, value, _ := strings.Cut(w, "="); {
		case key == "sends" && value != strconv.Itoa(sends):
			return fmt.Errorf("%s sends by %d ports; %s", n.Name, sends, strings.Join(why, ", "))
		case key == "carrier" && value != carrier:
			return fmt.Errorf("the carrier of %s is %s", n.Name, carrier)
		case key != "sends" && key != "carrier":
			return fmt.Errorf("there is no %s to expect of a system", key)
		}
	}
	return nil
}

// portIs returns an empty string where a word is true of a port, or else what is.
func portIs(s Subject, number uint16, word string) string {
	v := view(s, number)
	switch word {
	case "sends":
		return unless(v.Sends, "closed")
	case "closed":
		return unless(!v.Sends && !v.Receives, "open")
	case "receives":
		return unless(v.Receives && !v.Sends, fmt.Sprintf("receives %v sends %v", v.Receives, v.Sends))
	}
	if key, value, ok := strings.Cut(word, "<="); ok {
		most, _ := strconv.ParseUint(value, 10, 64)
		n := counter(v, key)
		return unless(n <= most, fmt.Sprintf("%s=%d", key, n))
	}
	key, value, _ := strings.Cut(word, "=")
	got := map[string]string{
		"reason": string(s.Gate(number).Reason), "receive": v.Receive, "mux": v.Mux, "selected": v.Selected,
		"periodic": v.Periodic, "actor_churn": v.ActorChurn, "partner_churn": v.PartnerChurn,
		"actor": v.Actor.State.Letters(), "partner": v.Partner.State.Letters(),
		"aggregator": strconv.Itoa(int(v.Aggregator)), "drained": strconv.FormatBool(v.Drained),
	}
	is, known := got[key]
	if !known {
		is = strconv.FormatUint(counter(v, key), 10)
	}
	return unless(is == value, key+"="+is)
}

func unless(ok bool, is string) string {
	if ok {
		return ""
	}
	return is
}

// counter returns a counter by its JSON name.
func counter(v lacp.PortView, name string) uint64 {
	text, err := json.Marshal(v.Counters)
	if err != nil {
		return 0
	}
	var all map[string]uint64
	if json.Unmarshal(text, &all) != nil {
		return 0
	}
	return all[name]
}
