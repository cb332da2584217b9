package main

// subjects are all aggregates that are measured, the kernel's own first.
func subjects() []subject {
	rr := flow{mode: modeRR, words: []string{"mode", "balance-rr"}, spreads: true, copies: 1}
	ab := flow{mode: modeAB, words: []string{"mode", "active-backup"}, copies: 1}
	xor := flow{mode: modeXOR, words: []string{"mode", "balance-xor", "xmit_hash_policy", "layer3+4"}, spreads: true, copies: 1}
	lacp := flow{mode: modeLACP, words: []string{"mode", "802.3ad", "xmit_hash_policy", "layer3+4"}, spreads: true, copies: 1, partner: true}
	cast := flow{mode: modeCast, words: []string{"mode", "broadcast"}, spreads: true, copies: 2}
	random := flow{mode: modeRandom, words: []string{"mode", "random"}, spreads: true, copies: 1}
	list := []subject{
		bonding([2]float64{625, 107}, rr),
		bonding([2]float64{517, 107}, ab),
		bonding([2]float64{733, 110}, xor),
		bonding([2]float64{749, 160}, lacp),
		bonding([2]float64{838, 107}, flow{mode: modeTLB, words: []string{"mode", "balance-tlb", "xmit_hash_policy", "layer3+4"}, copies: 1}),
		bonding([2]float64{691, 146}, flow{mode: modeALB, words: []string{"mode", "balance-alb"}, copies: 1}),
		bonding([2]float64{2395, 107}, cast),
		teamd([2]float64{492, 119}, rr, map[string]any{"name": "roundrobin"}),
		teamd([2]float64{476, 124}, ab, map[string]any{"name": "activebackup"}),
		teamd([2]float64{}, xor, map[string]any{"name": "loadbalance", "tx_hash": []string{"ipv4", "ipv6", "l4"}}),
		teamd([2]float64{}, lacp, map[string]any{"name": "lacp", "tx_hash": []string{"ipv4", "ipv6", "l4"}}),
		teamd([2]float64{}, random, map[string]any{"name": "random"}),
		teamd([2]float64{2339, 121}, cast, map[string]any{"name": "broadcast"}),
	}
	for _, f := range []flow{rr, ab, xor, lacp, random, cast} {
		f.words = asOptions(f.words)
		list = append(list, exact(f), fast(f), yoke(byYokeTeam, f, "plane=team"))
		if f.mode != modeRandom {
			list = append(list, yoke(byYokeBond, f, "plane=bonding"))
		}
		user := yoke(byUser, f, "plane=user")
		user.paced = true
		list = append(list, user)
	}
	return list
}

// asOptions makes Yoke's words of bonding's.
func asOptions(words []string) (out []string) {
	for i := 0; i < len(words); i += 2 {
		out = append(out, words[i]+"="+words[i+1])
	}
	return out
}

// exact and fast are the two ways of plane ebpf, with the goals that they were given.
func exact(f flow) subject {
	s := yoke(byExact, f, "plane=ebpf")
	s.guarded, s.movable = true, true
	s.goal, s.wish, s.goalRx = 850, 733, 800
	if f.copies > 1 {
		s.goal, s.wish = 0, 0
	}
	return s
}

func fast(f flow) subject {
	s := yoke(byFast, f, "plane=ebpf", "fast_path=on")
	s.guarded, s.goalRx = true, 611
	switch f.mode {
	case modeXOR, modeLACP:
		s.goal = 450
	case modeCast:
		s.goal = 2350
	default:
		s.goal = 400
	}
	return s
}
