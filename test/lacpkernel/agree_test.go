package lacpkernel

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/nstest"
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
		fails, full   bool // a case of the full form only
	}{
		{"bonding first, both fast, ebpf", "bonding", settings{"ebpf", "fast", "on", "fast", true, true}, true, false},
		{"bonding second, we passive and slow, it fast, team", "bonding", settings{"team", "slow", "off", "fast", true, false}, false, false},
		{"teamd first, both fast, team", "teamd", settings{"team", "fast", "on", "fast", true, true}, true, false},
		{"teamd second and passive, we fast, it slow, ebpf", "teamd", settings{"ebpf", "fast", "on", "slow", false, false}, false, false},
		{"bonding second, both slow, team", "bonding", settings{"team", "slow", "on", "slow", true, false}, false, true},
		{"bonding first, both fast, team", "bonding", settings{"team", "fast", "on", "fast", true, true}, true, true},
		{"bonding second, we passive and fast, it slow, ebpf", "bonding", settings{"ebpf", "fast", "off", "slow", true, false}, false, true},
		{"bonding first and passive, we slow, it fast, ebpf", "bonding", settings{"ebpf", "slow", "on", "fast", false, true}, false, true},
		{"teamd first, both fast, ebpf", "teamd", settings{"ebpf", "fast", "on", "fast", true, true}, true, true},
		{"teamd second, both slow, team", "teamd", settings{"team", "slow", "on", "slow", true, false}, false, true},
	} {
		if c.full && !full() {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			kind := partners()[c.partner]
			r := host(t, c.s.plane, append(kind.needs, "program:tcpdump")...)
			p := kind.make(r, c.s)
			began := meet(r, p, c.s)
			t.Logf("both ports carry %v after the second end began", time.Since(began).Round(time.Millisecond))
			carries(r, p, 2)
			waitAgreed(r, p)
			othersRead(r)
			if c.fails {
				failures(r, p)
			}
		})
	}
}

// othersRead gives our own capture to somebody else's program: what we said and heard are
// LACPDUs of 110 octets, and in the last both ends are where they are said to be.
func othersRead(r *rig.Rig) {
	r.T.Helper()
	file := filepath.Join(r.Dir, "lacp.pcapng")
	r.Must("capture", "bond0", "-w", file)
	text := nstest.Command(r.T, r.Here, "tcpdump", "-nvvr", file)
	pdus, last := 0, ""
	for line := range strings.Lines(text) {
		switch {
		case strings.Contains(line, "LACPv1, length 110"):
			pdus++
		case strings.Contains(line, "State Flags"):
			last = line
		}
	}
	if pdus < 4 || !strings.Contains(last, "Distributing") || strings.Contains(text, "invalid") || strings.Contains(text, "[|") {
		r.T.Errorf("tcpdump reads %d LACPDUs:\n%s", pdus, text)
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
	took(r, began, "a cable that came back is used")

	heal := silence(r, "eth2")
	began = time.Now()
	s := waitFor(r, func(s agg.Status) bool { return s.Carrying == 1 && s.Plan.InForce }, "the silent cable to be left")
	if !s.Ports[0].Carrying {
		r.T.Errorf("the wrong one was left: %s", s.Summary)
	}
	waitUsed(r, p, 1)
	took(r, began, "a silent cable is left by both")
	r.Here.MustPing(rig.ThereAddr)
	defaulted(r, "eth2")
	heal()
	began = time.Now()
	carries(r, p, 2)
	took(r, began, "a cable that was silent is used")
	waitAgreed(r, p)
}

// took tells how long something took, and all where that is more than the partner's timers
// explain.
func took(r *rig.Rig, began time.Time, what string) time.Duration {
	r.T.Helper()
	d := time.Since(began).Round(time.Millisecond)
	r.T.Logf("%s after %v", what, d)
	if d > partnersOwn {
		r.T.Logf("log of yoked:\n%s", r.Log)
	}
	return d
}

// defaulted waits until we have given the partner of a port up altogether.
func defaulted(r *rig.Rig, port string) {
	r.T.Helper()
	waitFor(r, func(s agg.Status) bool {
		i := slices.IndexFunc(s.Ports, func(p agg.PortStatus) bool { return p.Name == port })
		return s.Ports[i].LACP.Receive == "DEFAULTED"
	}, port+" to be defaulted")
}
