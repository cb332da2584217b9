package bonding

import (
	"os"
	"strings"
	"testing"
)

// row is one case of testdata/bond-errors.cases: commands that make the bond, and the
// option that is then written, by sysfs or iproute2.
type row struct {
	title         string
	setup         []string
	option, value string
}

// readRows reads the cases that are about options of a bond.
func readRows(t *testing.T) []row {
	t.Helper()
	text, err := os.ReadFile("testdata/bond-errors.cases")
	if err != nil {
		t.Fatal(err)
	}
	var out []row
	for block := range strings.SplitSeq("\n"+string(text), "\n== ") {
		title, rest, _ := strings.Cut(block, "\n")
		r := row{title: title}
		for line := range strings.Lines(rest) {
			line = strings.TrimSpace(line)
			switch {
			case strings.HasPrefix(line, "+ "):
				r.setup = append(r.setup, strings.TrimPrefix(line, "+ "))
			case strings.HasPrefix(line, "w /sys/class/net/bond0/bonding/"):
				r.option, r.value, _ = strings.Cut(strings.TrimPrefix(line, "w /sys/class/net/bond0/bonding/"), " ")
			case strings.HasPrefix(line, "! ip -n"): // after the write
			case strings.HasPrefix(line, "! ip link") && strings.Contains(line, " type bond "):
				_, options, _ := strings.Cut(line, " type bond ")
				words := strings.Fields(options)
				if strings.Contains(line, " add ") {
					n := len(words) - 2
					if words[n] == "arp_ip_target" {
						n -= 2
					}
					r.setup = append(r.setup, strings.TrimSpace("ip link add bond0 type bond "+strings.Join(words[:n], " ")))
					words = words[n:]
				}
				r.option, r.value = words[0], words[1]
			}
		}
		if r.option == "num_unsol_na" {
			r.option = "num_grat_arp"
		}
		if _, ok := named(Attributes(), r.option); ok && title != "" {
			out = append(out, r)
		}
	}
	return out
}

// around are four good options, two of them before the row's in the order of setting.
func (r row) around() Values {
	out := Values{"resend_igmp": "7", "num_grat_arp": "9", "all_slaves_active": "1", "primary_reselect": "2", "arp_all_targets": "1"}
	delete(out, r.option)
	if len(out) > 4 {
		delete(out, "arp_all_targets")
	}
	return out
}
