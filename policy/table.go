package policy

import "github.com/yokelag/yoke/agg"

// TablePort is one configured port as the table sees it.
type TablePort struct {
	Name string
	// Weight is the port's part of the buckets beside the others' weights; 0 counts as 1.
	Weight uint32
	Usable bool
}

// Table returns the NumBuckets choices of hash_map=buckets: indexes into ports, which
// are all configured ports in configured order. It returns nil where no port is usable.
//
// It is a pure function. Each bucket has an order of preference over all configured
// ports, and belongs to the first of them that is usable; the next usable one is its
// second choice. So a port that goes moves its own buckets only, one that comes back
// gets exactly those back, and the second choice is where the next table would put the
// bucket. With all ports up each has its share by weight to within one bucket; each
// port that is down adds at most one to that (up to exactDepth of them; beyond, shares
// hold on average). Plain weighted rendezvous hashing has the same properties of
// movement, but with 256 buckets its worst of four ports is 13 % over its share.
//
// A port appended to the configuration takes its quota and nothing else moves. Removing
// one from the middle moves its own buckets and others too: at worst 0.3 of them for
// each of its own with 3 ports, 0.5 with 4, 1.4 with 8 (see the tests).
func Table(ports []TablePort, moves Overlay) []agg.Choice {
	return new(Tables).Table(ports, moves)
}

// ModuloTable returns the choices of hash_map=modulo: the usable ports in configured
// order, as the bonding driver's array. The second choice is the next one in the array.
func ModuloTable(ports []TablePort) []agg.Choice {
	var table []agg.Choice
	for i, p := range ports {
		if p.Usable {
			table = append(table, agg.Choice{First: i, Second: agg.NoPort})
		}
	}
	if len(table) > 1 {
		for i := range table {
			table[i].Second = table[(i+1)%len(table)].First
		}
	}
	return table
}
