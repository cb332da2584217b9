package agg

import "strings"

// The fields of teamd's transmit hash. A HashPolicy with HashFields set is a list of
// them: HashFields|FieldEth|FieldIPv4, as tx_hash says it. It is one number so that a
// plan, and every plane's table, has one place for what is hashed.
const (
	FieldEth  HashPolicy = 1 << iota // both Ethernet addresses
	FieldVLAN                        // the VLAN id, of the frame or beside it
	FieldIPv4                        // both IPv4 addresses
	FieldIPv6                        // both IPv6 addresses
	FieldTCP                         // the ports of TCP over either
	FieldUDP                         // the ports of UDP
	FieldSCTP                        // the ports of SCTP
	// HashFields marks a list of fields; alone it is the empty list, whose hash is 0.
	HashFields
)

// Kind is HashFields for any list of fields, and the policy itself otherwise. It is what
// Capability.Hashes holds.
func (h HashPolicy) Kind() HashPolicy {
	if h&HashFields != 0 {
		return HashFields
	}
	return h
}

// hashWord is a word of tx_hash and what it adds (teamd.conf(5)).
type hashWord struct {
	text string
	adds HashPolicy
}

// hashWords are all words of tx_hash, those of a single field first, in the order in
// which String writes them.
func hashWords() []hashWord {
	return []hashWord{
		{"eth", FieldEth}, {"vlan", FieldVLAN},
		{"ipv4", FieldIPv4}, {"ipv6", FieldIPv6},
		{"tcp", FieldTCP}, {"udp", FieldUDP}, {"sctp", FieldSCTP},
		{"ip", FieldIPv4 | FieldIPv6}, {"l3", FieldIPv4 | FieldIPv6},
		{"l4", FieldTCP | FieldUDP | FieldSCTP},
	}
}

// fieldValues are the words of tx_hash for the options table. They have no numbers.
func fieldValues() []EnumValue {
	var out []EnumValue
	for _, w := range hashWords() {
		out = append(out, EnumValue{Text: w.text, Number: -1})
	}
	return out
}

// parseFields reads the canonical text of tx_hash. Words that are no fields add nothing.
func parseFields(text string) HashPolicy {
	h := HashFields
	for word := range strings.SplitSeq(text, ",") {
		for _, w := range hashWords() {
			if w.text == word {
				h |= w.adds
			}
		}
	}
	return h
}

// fieldNames is the list of fields as a person writes it.
func (h HashPolicy) fieldNames() string {
	if h == HashFields {
		return "tx_hash"
	}
	var words []string
	for _, w := range hashWords()[:7] {
		if h&w.adds != 0 {
			words = append(words, w.text)
		}
	}
	return "tx_hash=" + strings.Join(words, ",")
}
