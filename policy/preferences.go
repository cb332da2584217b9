package policy

import (
	"math/bits"
	"slices"

	"github.com/yokelag/yoke/agg"
)

// exactDepth is how many places of the orders of preference are shared out exactly.
// The work grows with the square of it and real aggregates have eight ports at most.
const exactDepth = 8

// set is a set of port indexes; MaxPorts fits.
type set uint64

func (s set) has(i int) bool { return s>>i&1 == 1 }
func (s set) with(i int) set { return s | 1<<i }
func (s set) count() int     { return bits.OnesCount64(uint64(s)) }

// preferences are the orders of preference of all buckets, a function of the names and
// weights of the ports. They are as deep as was needed so far; how deep that is does not
// change what they begin with.
type preferences struct {
	ports []TablePort // Usable means nothing here
	seeds []uint32
	order [agg.NumBuckets][]uint8
	asked [agg.NumBuckets]set // the ports in order, as a set
}

func newPreferences(ports []TablePort) *preferences {
	p := &preferences{ports: slices.Clone(ports)}
	room := make([]uint8, agg.NumBuckets*len(ports))
	for b := range p.order {
		p.order[b] = room[b*len(ports) : b*len(ports) : (b+1)*len(ports)]
	}
	for i := range ports {
		p.seeds = append(p.seeds, seedOf(ports[i].Name))
	}
	for b, owner := range baseOwners(ports) {
		p.push(b, int(owner))
	}
	return p
}

// are reports whether the preferences are those of ports.
func (p *preferences) are(ports []TablePort) bool {
	return slices.EqualFunc(p.ports, ports, func(a, b TablePort) bool {
		return a.Name == b.Name && a.Weight == b.Weight
	})
}

// reach makes the orders so deep that each holds want of the usable ports, or all.
func (p *preferences) reach(usable set, want int) {
	want = min(want, usable.count())
	for p.deepen(usable, want) > 0 {
	}
}

func (p *preferences) push(bucket, port int) {
	p.order[bucket] = append(p.order[bucket], uint8(port))
	p.asked[bucket] = p.asked[bucket].with(port)
}

// deepen gives those of the shortest orders that lack a usable port one more place, and
// returns how many orders lacked one. Buckets are taken set by set: those with the same
// ports asked share what remains.
func (p *preferences) deepen(usable set, want int) int {
	lacking, depth := 0, len(p.ports)
	for b, asked := range p.asked {
		if (asked & usable).count() < want {
			lacking++
			depth = min(depth, len(p.order[b]))
		}
	}
	if lacking == 0 {
		return 0
	}
	groups := map[set][]int{}
	for b, asked := range p.asked {
		if len(p.order[b]) == depth && (asked&usable).count() < want {
			groups[asked] = append(groups[asked], b)
		}
	}
	for down, buckets := range groups {
		if depth < exactDepth {
			p.shareExactly(down, buckets)
			continue
		}
		for _, b := range buckets {
			p.push(b, p.draw(b, down))
		}
	}
	return lacking
}

// shareExactly appends a port to each of the buckets so that, if exactly the ports of
// down were down, all buckets would be shared by weight.
func (p *preferences) shareExactly(down set, buckets []int) {
	load := p.loadWithout(down)
	total := p.weightWithout(down)
	slices.SortFunc(buckets, func(a, b int) int { return int(shuffled(a)) - int(shuffled(b)) })
	for _, b := range buckets {
		best, bestDeficit, bestTie := -1, int64(0), uint32(0)
		for i := range p.ports {
			if down.has(i) {
				continue
			}
			deficit := p.weight(i)*agg.NumBuckets - load[i]*total
			tie := affinity(b, p.seeds[i])
			if best < 0 || deficit > bestDeficit || deficit == bestDeficit && tie > bestTie {
				best, bestDeficit, bestTie = i, deficit, tie
			}
		}
		p.push(b, best)
		load[best]++
	}
}

// loadWithout counts the buckets of each port if the ports of down were down, leaving
// out those whose order of preference is not known so far.
func (p *preferences) loadWithout(down set) []int64 {
	load := make([]int64, len(p.ports))
	for b := range p.order {
		for _, i := range p.order[b] {
			if !down.has(int(i)) {
				load[i]++
				break
			}
		}
	}
	return load
}

func (p *preferences) weightWithout(down set) int64 {
	sum := int64(0)
	for i := range p.ports {
		if !down.has(i) {
			sum += p.weight(i)
		}
	}
	return sum
}

// draw chooses among the ports outside of down by weight, by the bucket's number.
func (p *preferences) draw(bucket int, down set) int {
	point := int64(affinity(bucket, 0)) % p.weightWithout(down)
	for i := range p.ports {
		if down.has(i) {
			continue
		}
		if point -= p.weight(i); point < 0 {
			return i
		}
	}
	return agg.NoPort
}

func (p *preferences) weight(i int) int64 { return weightOf(p.ports[i]) }

func weightOf(p TablePort) int64 { return max(1, int64(p.Weight)) }

// choice returns the first two usable ports of a bucket; a usable port that the bucket
// was moved to comes before them.
func (p *preferences) choice(bucket int, moved string, usable set) agg.Choice {
	c := agg.Choice{First: agg.NoPort, Second: agg.NoPort}
	if moved != "" {
		i := slices.IndexFunc(p.ports, func(q TablePort) bool { return q.Name == moved })
		if i >= 0 && usable.has(i) {
			c.First = i
		}
	}
	for _, i := range p.order[bucket] {
		if c.Second >= 0 {
			break
		}
		switch {
		case !usable.has(int(i)) || int(i) == c.First:
		case c.First < 0:
			c.First = int(i)
		case c.Second < 0:
			c.Second = int(i)
		}
	}
	return c
}

// affinity is a fixed pseudo-random number for a bucket and a seed.
func affinity(bucket int, seed uint32) uint32 {
	return scramble(seed + uint32(bucket)*0x9E3779B1)
}

// seedOf makes a seed of a port's name: FNV-1a.
func seedOf(name string) uint32 {
	h := uint32(2166136261)
	for i := range len(name) {
		h = (h ^ uint32(name[i])) * 16777619
	}
	return h
}

// scramble spreads nearby numbers; it is the finaliser of murmur3 (public domain).
func scramble(x uint32) uint32 {
	x ^= x >> 16
	x *= 0x85ebca6b
	x ^= x >> 13
	x *= 0xc2b2ae35
	return x ^ x>>16
}

// shuffled orders the buckets so that neighbours are far apart: 167 is odd, so the
// product is a permutation of 0..255.
func shuffled(bucket int) uint8 { return uint8(bucket*167 + 41) }
