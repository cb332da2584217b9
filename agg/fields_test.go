package agg

import "testing"

func TestFieldsOfTxHash(t *testing.T) {
	for text, want := range map[string]string{
		"":                        "tx_hash",
		"eth,ipv4,ipv6":           "tx_hash=eth,ipv4,ipv6",
		"ipv6,eth,ipv4,eth":       "tx_hash=eth,ipv4,ipv6",
		"l3,l4":                   "tx_hash=ipv4,ipv6,tcp,udp,sctp",
		"ip,vlan":                 "tx_hash=vlan,ipv4,ipv6",
		"eth,vlan,l3,l4":          "tx_hash=eth,vlan,ipv4,ipv6,tcp,udp,sctp",
		"tcp":                     "tx_hash=tcp",
		"udp,sctp,something-else": "tx_hash=udp,sctp",
	} {
		got := parseFields(text)
		if got.String() != want || got.Kind() != HashFields {
			t.Errorf("%q is %s of kind %s, want %s", text, got, got.Kind(), want)
		}
	}
	for _, h := range []HashPolicy{HashLayer2, HashLayer34, HashVLANSrcMAC} {
		if h.Kind() != h {
			t.Errorf("the kind of %s is %s", h, h.Kind())
		}
	}
}
