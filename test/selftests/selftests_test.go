package selftests

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/yokelag/yoke/internal/iface"
	"github.com/yokelag/yoke/internal/nstest"
	"github.com/yokelag/yoke/test/rig"
)

func TestMain(m *testing.M) { os.Exit(rig.Main(m)) }

// TestScenarios runs each scenario with each subject that this machine has, in each of its
// modes that the subject has.
func TestScenarios(t *testing.T) {
	all := scenarios(t)
	for _, k := range kinds() {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, k)
			for _, s := range all {
				for _, mode := range s.modes {
					if s.about(k.name) && slices.Contains(k.modes, mode) {
						t.Run(s.title+"/"+mode, func(t *testing.T) { b.run(t, s, mode) })
					}
				}
			}
		})
	}
}

// bench is a host with three cables to a bridge, and the subject on it.
type bench struct {
	*rig.Rig
	subject
	peer  *peer
	made  bool                  // there is bond0
	above map[string]*nstest.NS // macvlans
}

// patience is how long a change may take on a busy machine.
const patience = 20 * time.Second

func cables() []string { return []string{"eth1", "eth2", "eth3"} }

func newBench(t *testing.T, k kind) *bench {
	t.Helper()
	r := rig.NewHost(t, append([]string{"macvlan", "program:bridge"}, k.needs...)...)
	r.There.Veth("spare1", r.There, "spare2") // as in rig.New
	far := []string{}
	for _, port := range cables() {
		r.Here.Veth(port, r.There, farOf(port))
		far = append(far, farOf(port))
	}
	r.Bridge(r.There, "br0", far...)
	r.There.AddAddr("br0", rig.ThereAddr+"/24")
	return &bench{Rig: r, subject: k.newSubject(r), peer: newPeer(r, cables()), above: map[string]*nstest.NS{}}
}

// run runs one scenario and leaves the bench as it was.
func (b *bench) run(t *testing.T, s scenario, mode string) {
	before := b.T
	b.T = t
	defer func() {
		for _, port := range cables() {
			b.peer.partner(port, false)
			b.There.SetUp(farOf(port))
		}
		for name := range b.above {
			b.remove(name)
		}
		if b.made {
			b.end()
		}
		b.T = before
	}()
	for _, line := range s.steps {
		if line.verb == "up" {
			line.words = append([]string{mode}, line.words...)
		}
		verbs()[line.verb].do(b, line)
		if t.Failed() {
			return
		}
	}
}

// verb is one kind of step: how many words it takes and what it does.
type verb struct {
	least, most int
	do          func(b *bench, s step)
}

func verbs() map[string]verb {
	const many = 20
	return map[string]verb{
		"up":   {1, many, func(b *bench, s step) { b.begin(s.words[0], s.words[1:]) }},
		"down": {0, 0, func(b *bench, _ step) { b.end() }},
		"set":  {1, many, func(b *bench, s step) { b.set(s.words) }},
		"cut": {1, 1, func(b *bench, s step) {
			b.There.SetDown(farOf(s.words[0]))
			b.await(s, func() bool { return b.state(s.words[0]) == "down" })
		}},
		"mend": {1, 1, func(b *bench, s step) {
			b.There.SetUp(farOf(s.words[0]))
			b.await(s, func() bool { return b.state(s.words[0]) == "up" })
		}},
		"rising": {1, 1, func(b *bench, s step) {
			b.There.SetUp(farOf(s.words[0]))
			b.await(s, func() bool { return b.state(s.words[0]) == "rising" })
		}},
		"active": {1, 1, func(b *bench, s step) { b.await(s, func() bool { return b.active() == s.words[0] }) }},
		"stays": {1, 1, func(b *bench, s step) {
			if is := b.active(); is != s.words[0] {
				b.T.Errorf("%s: %s is active", s.where, is)
			}
		}},
		"reach":   {0, 0, func(b *bench, s step) { b.ping(s, b.Here, rig.ThereAddr) }},
		"carrier": {1, 1, func(b *bench, s step) { b.await(s, func() bool { return b.carrier() == (s.words[0] == "on") }) }},
		"listen":  {0, 0, func(b *bench, _ step) { b.peer.listen() }},
		"garps":   {2, 2, (*bench).garps},
		"lacp":    {2, 4, (*bench).lacp},
		"quiet":   {1, 1, (*bench).quiet},
		"partner": {2, 2, func(b *bench, s step) { b.peer.partner(s.words[0], s.words[1] == "on") }},
		"macvlan": {2, 2, func(b *bench, s step) { b.macvlan(s.words[0], s.words[1]) }},
		"delete":  {1, 1, func(b *bench, s step) { b.remove(s.words[0]) }},
		"between": {2, 2, (*bench).between},
		"hears":   {2, 2, func(b *bench, s step) { b.await(s, func() bool { return accepts(b.Rig, s.words[0], s.words[1]) }) }},
		"deaf":    {2, 2, func(b *bench, s step) { b.await(s, func() bool { return !accepts(b.Rig, s.words[0], s.words[1]) }) }},
		"join":    {1, 1, func(b *bench, s step) { nstest.Command(b.T, b.Here, "ip", "maddr", "add", s.words[0], "dev", "bond0") }},
		"leave":   {1, 1, func(b *bench, s step) { nstest.Command(b.T, b.Here, "ip", "maddr", "del", s.words[0], "dev", "bond0") }},
	}
}

// await waits for what a step says.
func (b *bench) await(s step, cond func() bool) {
	b.T.Helper()
	rarely := func() bool { // who asks all the time slows down what it waits for
		done := cond()
		if !done {
			time.Sleep(30 * time.Millisecond)
		}
		return done
	}
	nstest.Eventually(b.T, patience, rarely, "%s: %s %v; log of yoked:\n%s", s.where, s.verb, s.words, b.Log)
}

// begin makes bond0, with addresses; both ends know each other.
func (b *bench) begin(mode string, words []string) {
	b.T.Helper()
	b.subject.up(mode, words)
	b.made = true
	b.Here.AddAddr("bond0", rig.HereAddr+"/24")
	nstest.Command(b.T, b.Here, "ip", "neigh", "replace", rig.ThereAddr, "lladdr", b.There.MAC("br0").String(), "dev", "bond0")
	nstest.Command(b.T, b.There, "ip", "neigh", "replace", rig.HereAddr, "lladdr", b.Here.MAC("bond0").String(), "dev", "br0")
	for _, w := range words {
		if isPort(w) {
			nstest.Eventually(b.T, patience, func() bool { return b.state(w[:4]) == "up" }, "%s to work; log of yoked:\n%s", w, b.Log)
		}
	}
}

func (b *bench) end() {
	b.T.Helper()
	b.subject.down()
	b.made = false
}

func (b *bench) carrier() bool {
	b.T.Helper()
	var l iface.Link
	var err error
	b.Here.Do(func() { l, err = iface.ByName("bond0", iface.Here) })
	if err != nil {
		b.T.Fatal(err)
	}
	return l.Carrier
}

func (b *bench) ping(s step, from *nstest.NS, to string) {
	b.T.Helper()
	if err := from.Ping(to, patience); err != nil {
		b.T.Errorf("%s: %v; log of yoked:\n%s", s.where, err, b.Log)
	}
}

// garps counts until there are enough, and whether there come more.
func (b *bench) garps(s step) {
	want, err := strconv.Atoi(s.words[1])
	if err != nil {
		b.T.Fatalf("%s: %v", s.where, err)
	}
	count := func() int { return b.peer.count(s.words[0], gratuitous) }
	b.await(s, func() bool { return count() >= want })
	const more = 200 * time.Millisecond // ten times the time between two of them
	time.Sleep(more)
	if n := count(); n != want {
		b.T.Errorf("%s: %d gratuitous ARPs by %s, not %d", s.where, n, s.words[0], want)
	}
}

// lacp checks what the subject says of LACP by some ports.
func (b *bench) lacp(s step) {
	what, ports := s.words[0], s.words[1:]
	switch what {
	case "none":
		const silence = 2500 * time.Millisecond // two periods of a fast end
		time.Sleep(silence)
		for _, port := range ports {
			if n := b.peer.count(port, isLACPDU); n != 0 {
				b.T.Errorf("%s: %d LACPDUs by %s", s.where, n, port)
			}
		}
	case "passive":
		for _, port := range ports {
			b.await(s, func() bool { return b.peer.count(port, isLACPDU) > 0 })
			if n := b.peer.count(port, isActive); n != 0 {
				b.T.Errorf("%s: %d LACPDUs by %s are of an active end", s.where, n, port)
			}
		}
	default:
		b.T.Fatalf("%s: lacp is none or passive", s.where)
	}
}

// quiet waits until the subject has said nothing of LACP by a port for some time.
func (b *bench) quiet(s step) {
	last, at := -1, time.Now()
	b.await(s, func() bool {
		if n := b.peer.count(s.words[0], isLACPDU); n != last {
			last, at = n, time.Now()
		}
		return time.Since(at) > 2*time.Second
	})
}

// macvlan puts one on bond0, in a namespace of its own.
func (b *bench) macvlan(name, mac string) {
	b.T.Helper()
	guest := b.Space()
	nstest.Command(b.T, b.Here, "ip", "link", "add", "link", "bond0", "name", name, "address", mac, "type", "macvlan", "mode", "bridge")
	if err := b.Here.Handle().LinkSetNsFd(b.Here.Link(name), guest.FD()); err != nil {
		b.T.Fatal(err)
	}
	guest.AddAddr(name, addressOf(name)+"/24")
	guest.SetUp(name)
	b.above[name] = guest
}

func (b *bench) remove(name string) {
	b.T.Helper()
	b.above[name].Delete(name)
	delete(b.above, name)
}

// addressOf is the IP address of an end of between.
func addressOf(end string) string {
	switch end {
	case "bond0":
		return rig.HereAddr
	case "peer":
		return rig.ThereAddr
	default:
		return fmt.Sprintf("192.0.2.1%c", end[len(end)-1])
	}
}

func (b *bench) between(s step) {
	from := b.Here
	switch guest := b.above[s.words[0]]; {
	case guest != nil:
		from = guest
	case s.words[0] == "peer":
		from = b.There
	}
	b.ping(s, from, addressOf(s.words[1]))
}
