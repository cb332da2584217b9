package rules

import (
	"slices"
	"strings"
	"testing"
)

// rung is one step of the ladder of layers: what its packages may import of ours, and
// why nothing else. The tests of a package may import what they like.
type rung struct {
	of  string
	may []string
	why string
}

var (
	core  = []string{"wire", "agg", "announce", "lacp", "watch", "policy"}
	below = append([]string{"engine"}, core...)
)

// ladder goes from the bottom up. A package belongs to the longest prefix that fits.
func ladder() []rung {
	return []rung{
		{"wire", nil, "frames are bytes; whoever parses one needs to know nothing else of Yoke"},
		{"agg", []string{"wire"}, "the nouns are shared by all, so they can depend on nobody"},
		{"announce", []string{"agg", "wire"}, "a machine does not see its neighbours; the engine joins them"},
		{"lacp", []string{"agg", "wire"}, "a machine does not see its neighbours; the engine joins them"},
		{"watch", []string{"agg", "wire"}, "a machine does not see its neighbours; the engine joins them"},
		{"policy", []string{"agg", "wire"}, "a choice is a function of nouns; it knows no plane and no loop"},
		{"engine", core, "the engine asks the world for effects by interfaces of its own and never reaches for them"},
		{"team", nil, "the team driver's library serves programs that know nothing else of Yoke"},
		{"plane/device", []string{"agg", "wire", "internal"}, "what planes share knows none of them"},
		{"plane/port", []string{"agg", "wire", "plane/device", "internal"}, "what planes share knows none of them"},
		{"plane/keepalive", []string{"agg", "wire", "internal"}, "what planes share knows none of them"},
		{"plane/mem", []string{"agg", "wire", "policy"}, "the plane in memory serves tests and dry runs on any system"},
		{"plane/planetest", []string{"agg", "wire", "policy", "internal"}, "the conformance suite judges a plane by agg's nouns alone"},
		{"plane/team", []string{"agg", "wire", "policy", "team", "plane/device", "plane/port", "internal"},
			"a plane satisfies the engine's interface by shape and takes no decision about ports"},
		{"plane", []string{"agg", "wire", "policy", "plane/device", "plane/port", "internal"},
			"a plane satisfies the engine's interface by shape and takes no decision about ports"},
		{"capture", core, "a file of frames is read and written without a kernel or a daemon"},
		{"control", []string{"agg"}, "the API contract is shared with clients, which must not link the server"},
		{"compat", []string{"agg", "wire"}, "other tools' dialects are pure translation"},
		{"sim", append([]string{"plane/mem"}, below...), "the simulated world has no kernel in it"},
		{"lab", append([]string{"control", "internal", "plane/device", "plane/port"}, core...),
			"a lab builds namespaces and cables and speaks to Yoke as a user does"},
		{"daemon", append([]string{"plane", "control", "compat", "capture", "internal"}, below...),
			"the daemon assembles; nothing below it knows how it is assembled"},
		{"cmd/yoke", append([]string{"control", "compat", "capture", "internal/version", "internal/bootclock"}, core...),
			"the command is a client of the API; what needs the kernel it leaves to yoked"},
		{"cmd/yoked", append([]string{"daemon", "lab", "control", "sim", "internal"}, core...), "the program assembles worlds"},
		{"bench", append([]string{"daemon", "plane", "control", "lab", "internal"}, below...), "measurements may look everywhere"},
		{"internal", []string{"internal", "agg", "wire"}, "plumbing moves values between the kernel and the core and has no opinions"},
		{"test", append([]string{"internal"}, core...), "tests of the test machine"},
	}
}

// rungOf returns the rung that a package stands on.
func rungOf(path string) (rung, bool) {
	var best rung
	found := false
	for _, r := range ladder() {
		if under(path, r.of) && len(r.of) > len(best.of) {
			best, found = r, true
		}
	}
	return best, found
}

func TestEveryRungHasAPackage(t *testing.T) {
	all := packages(t)
	for _, r := range ladder() {
		if !slices.ContainsFunc(all, func(p pkg) bool { return under(p.path(), r.of) }) {
			t.Errorf("no package stands on the rung %s", r.of)
		}
	}
}

func TestImportsPointDown(t *testing.T) {
	for _, p := range packages(t) {
		r, ok := rungOf(p.path())
		if !ok {
			t.Errorf("%s stands on no rung of the ladder; give it one in internal/rules/ladder_test.go", p.path())
			continue
		}
		for _, imported := range p.Imports {
			ours, isOurs := strings.CutPrefix(imported, module+"/")
			if !isOurs || under(ours, r.of) || underAny(ours, r.may) {
				continue
			}
			t.Errorf("%s imports %s, but %s may import only %s: %s",
				p.path(), ours, r.of, strings.Join(r.may, ", "), r.why)
		}
	}
}

// Planes are neighbours of each other even where one prefix holds them all.
func TestPlanesDoNotSeeEachOther(t *testing.T) {
	planes := []string{"plane/ebpf", "plane/team", "plane/bonding", "plane/user", "plane/mem"}
	for _, p := range packages(t) {
		for _, own := range planes {
			if !under(p.path(), own) {
				continue
			}
			for _, other := range planes {
				if other != own && contains(p.Imports, module+"/"+other) {
					t.Errorf("%s imports %s: planes are alternatives, and what two of them need belongs below both", own, other)
				}
			}
		}
	}
}

// ban keeps a library, or a package of the standard library, out of some packages.
type ban struct {
	from      []string // prefixes of our packages
	importing string   // prefix of import paths
	deep      bool     // also what imports import
	why       string
}

func bans() []ban {
	kernel := "the command must run where there is no privilege, and stay small"
	pure := "the core is pure: input in, actions out, so that every run can be replayed"
	return []ban{
		{[]string{"cmd/yoke"}, "github.com/cilium/ebpf", true, kernel},
		{[]string{"cmd/yoke"}, "github.com/vishvananda/netlink", true, kernel},
		{[]string{"control"}, "github.com/cilium/ebpf", true, kernel},
		{[]string{"control"}, "github.com/vishvananda/netlink", true, kernel},
		{below, "github.com/cilium/ebpf", true, pure},
		{below, "github.com/vishvananda/netlink", true, pure},
		{below, "golang.org/x/sys/unix", true, "the core runs on any system"},
		{core, "context", false, "nothing in a machine waits"},
		{core, "sync", false, "a machine has one owner and no locks"},
		{core, "log", false, pure},
		{below, "os", false, pure},
		{below, "syscall", false, pure},
		{below, "math/rand", false, "randomness is an argument"},
		{below, "crypto/rand", false, "randomness is an argument"},
		{append([]string{"sim", "plane/mem"}, below...), "net/http", true, "no server below the faces"},
		{[]string{"wire"}, "time", false, "a frame has no time"},
	}
}

func TestBannedImports(t *testing.T) {
	all := packages(t)
	for _, b := range bans() {
		for _, p := range all {
			if !underAny(p.path(), b.from) {
				continue
			}
			imports := p.Imports
			if b.deep {
				imports = p.Deps
			}
			for _, i := range imports {
				if under(i, b.importing) {
					t.Errorf("%s imports %s: %s", p.path(), i, b.why)
				}
			}
		}
	}
}

// A ban on a library that nobody uses guards nothing: the library has another name now.
func TestBannedLibrariesAreStillInUse(t *testing.T) {
	all := packages(t)
	for _, b := range bans() {
		if !strings.Contains(b.importing, ".") {
			continue
		}
		used := false
		for _, p := range all {
			for _, i := range p.Imports {
				used = used || under(i, b.importing)
			}
		}
		if !used {
			t.Errorf("nothing imports %s any more; its ban in internal/rules guards nothing", b.importing)
		}
	}
}

func TestNoCgo(t *testing.T) {
	for _, p := range packages(t) {
		if len(p.CgoFiles) > 0 {
			t.Errorf("%s uses cgo in %v: the programs are static and are built without a C compiler", p.path(), p.CgoFiles)
		}
	}
}

func contains(list []string, s string) bool {
	return slices.Contains(list, s)
}
