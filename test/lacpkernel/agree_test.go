package lacpkernel

import (
	"slices"
	"testing"
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/test/rig"
)

// partners are those that nobody here wrote, with what they need.
func partners() map[string]struct {
	needs []string
	make  func(*rig.Rig, settings) partner
} {
	return map[string]struct {
		needs []string
		make  func(*rig.Rig, settings) partner
	}{
		"bonding": {[]string{"bonding"}, newBonding},
		"teamd":   {[]string{"team", "program:teamd"}, newTeamd},
	}
}

// Whoever is first, however often each speaks, and though only one begins: both ends use
// both cables and say the same of each other, and they do again after a cable was cut, and
// after one lost everything in silence.
func TestAgree(t *testing.T) {
	for _, c := range []struct {
		name, partner string
		s             settings
		fails         bool
	}{
		{"bonding first, both fast, ebpf", "bonding", settings{"ebpf", "fast", "on", "fast", true, true, nil}, true},
		{"bonding second, both slow, team", "bonding", settings{"team", "slow", "on", "slow", true, false, nil}, false},
		{"bonding first, both fast, team", "bonding", settings{"team", "fast", "on", "fast", true, true, nil}, true},
		{"bonding second, we passive and fast, it slow, ebpf", "bonding", settings{"ebpf", "fast", "off", "slow", true, false, nil}, false},
		{"bonding first and passive, we slow, it fast, ebpf", "bonding", settings{"ebpf", "slow", "on", "fast", false, true, nil}, false},
		{"teamd first, both fast, ebpf", "teamd", settings{"ebpf", "fast", "on", "fast", true, true, nil}, true},
		{"teamd second, both slow, team", "teamd", settings{"team", "slow", "on", "slow", true, false, nil}, false},
		{"teamd first and passive, we fast, it slow, ebpf", "teamd", settings{"ebpf", "fast", "on", "slow", false, true, nil}, false},
		{"teamd second, we passive and slow, it fast, team", "teamd", settings{"team", "slow", "off", "fast", true, false, nil}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			kind := partners()[c.partner]
			r := host(t, c.s.plane, kind.needs...)
			p := kind.make(r, c.s)
			began := meet(r, p, c.s)
			t.Logf("both ports carry %v after the second end began", time.Since(began).Round(time.Millisecond))
			carries(r, p, 2)
			waitAgreed(r, p)
			if c.fails {
				failures(r, p)
			}
		})
	}
}

// failures cuts one cable and puts it back, and lets the other lose everything for a while.
func failures(r *rig.Rig, p partner) {
	r.T.Helper()
	r.There.SetDown("eth1")
	carries(r, p, 1)
	r.There.SetUp("eth1")
	began := time.Now()
	carries(r, p, 2)
	r.T.Logf("a cable that came back is used after %v", time.Since(began).Round(time.Millisecond))

	heal := silence(r, "eth2")
	began = time.Now()
	s := waitFor(r, func(s agg.Status) bool { return s.Carrying == 1 && s.Plan.InForce }, "the silent cable to be left")
	if !s.Ports[0].Carrying {
		r.T.Errorf("the wrong one was left: %s", s.Summary)
	}
	waitUsed(r, p, 1)
	r.T.Logf("a silent cable is left by both after %v", time.Since(began).Round(time.Millisecond))
	r.Here.MustPing(rig.ThereAddr)
	defaulted(r, "eth2")
	heal()
	began = time.Now()
	carries(r, p, 2)
	r.T.Logf("a cable that was silent is used after %v", time.Since(began).Round(time.Millisecond))
	waitAgreed(r, p)
}

// defaulted waits until we have given the partner of a port up altogether.
func defaulted(r *rig.Rig, port string) {
	r.T.Helper()
	waitFor(r, func(s agg.Status) bool {
		i := slices.IndexFunc(s.Ports, func(p agg.PortStatus) bool { return p.Name == port })
		return s.Ports[i].LACP.Receive == "DEFAULTED"
	}, port+" to be defaulted")
}
