package keepalive

import (
	"testing"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/yokelag/yoke/internal/nstest"
)

func (r *rig) hasClsact() bool {
	r.Helper()
	list, err := r.near.Handle().QdiscList(r.near.Link("eth0"))
	if err != nil {
		r.Fatal(err)
	}
	for _, q := range list {
		if q.Type() == "clsact" {
			return true
		}
	}
	return false
}

func (r *rig) remove(k *Keeper) {
	r.Helper()
	r.run(r.near, func() error { return k.Remove(r.ifindex) })
}

func TestTheNextDaemonReadsWhatWasSaid(t *testing.T) {
	r := newRig(t, Options{})
	r.agree()
	r.beat(orphaned)
	if err := r.keeper.Close(); err != nil {
		t.Fatal(err)
	}
	r.send(pdu())
	r.wait(1)
	r.keeper = r.open(Options{})
	n := r.noted()
	if n.Answers != 1 || n.Spoken == 0 || n.Heard == 0 || n.Beat == 0 || n.Beat > n.Heard || n.Stopped != "" {
		t.Errorf("noted %+v", n)
	}
	r.agree()
	if n := r.noted(); n.Answers != 0 {
		t.Errorf("noted %+v by the programs that are new", n)
	}
	r.silent(pdu()) // this daemon is there
	r.beat(orphaned)
	r.send(pdu())
	r.wait(2)
	r.remove(r.keeper)
	if r.hasClsact() {
		t.Error("the qdisc that the daemon before made is left")
	}
}

func TestRemoveLeavesNothing(t *testing.T) {
	r := newRig(t, Options{})
	r.agree()
	r.remove(r.keeper)
	r.remove(r.keeper)
	if r.hasClsact() {
		t.Error("a qdisc is left")
	}
	r.beat(orphaned)
	r.silent(pdu())
	r.run(r.near, func() error {
		_, ok, err := r.keeper.Noted(r.ifindex)
		if ok {
			t.Error("notes are left")
		}
		return err
	})
}

func TestRemoveLeavesTheQdiscOfOthers(t *testing.T) {
	r := newRig(t, Options{})
	nstest.Command(t, r.near, "tc", "qdisc", "add", "dev", "eth0", "clsact")
	r.agree()
	r.remove(r.keeper)
	if !r.hasClsact() {
		t.Error("the qdisc of somebody else is gone")
	}
}

func TestRemoveOfAnEarlierDaemonsPrograms(t *testing.T) {
	r := newRig(t, Options{})
	r.agree()
	r.remove(r.open(Options{}))
	r.run(r.near, r.keeper.RemoveAll) // which are gone
	if r.hasClsact() {
		t.Error("a qdisc is left")
	}
}

func (r *rig) greedyFilter(p *ebpf.Program) {
	r.Helper()
	r.run(r.near, func() error {
		return netlink.FilterAdd(&netlink.BpfFilter{Fd: p.FD(), Name: "greedy", DirectAction: true, FilterAttrs: netlink.FilterAttrs{
			LinkIndex: r.ifindex, Parent: netlink.HANDLE_MIN_INGRESS, Handle: 1, Protocol: unix.ETH_P_ALL, Priority: 1}})
	})
}

func TestBeforeProgramsOfOthers(t *testing.T) {
	for name, put := range map[string]func(r *rig, p *ebpf.Program){
		"filter": (*rig).greedyFilter,
		"tcx": func(r *rig, p *ebpf.Program) {
			r.run(r.near, func() error {
				return link.RawAttachProgram(link.RawAttachProgramOptions{Target: r.ifindex, Program: p, Attach: ebpf.AttachTCXIngress})
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			nstest.Require(t, "root", "tcx")
			r := newRig(t, Options{})
			if name == "filter" {
				nstest.Command(t, r.near, "tc", "qdisc", "add", "dev", "eth0", "clsact")
			}
			put(r, nstest.Greedy(t))
			r.agree()
			r.beat(orphaned)
			r.send(pdu())
			r.wait(1)
			if err := r.keeper.Close(); err != nil { // and the next daemon's in its place
				t.Fatal(err)
			}
			r.keeper = r.open(Options{})
			if n := r.noted(); n.Answers != 1 {
				t.Errorf("noted %+v", n)
			}
			r.agree()
			r.beat(orphaned)
			r.send(pdu())
			r.wait(2)
			r.remove(r.keeper)
			var s seen
			r.run(r.near, func() (err error) { s, err = look(hook{r.ifindex, true}); return err })
			if s.id != 0 || len(s.programs)+len(s.filters) != 1 {
				t.Errorf("left behind: %+v", s)
			}
		})
	}
}

func TestMendPutsBackWhatWasTakenOff(t *testing.T) {
	r := newRig(t, Options{})
	r.agree()
	nstest.Command(t, r.near, "tc", "qdisc", "del", "dev", "eth0", "clsact")
	r.mend(1)
	r.mend(0)
	r.beat(orphaned)
	r.send(pdu())
	r.wait(1)
}

func (r *rig) mend(want int) {
	r.Helper()
	r.run(r.near, func() error {
		n, err := r.keeper.Mend()
		if n != want {
			r.Errorf("mended %d ports, not %d", n, want)
		}
		return err
	})
}

func TestMendGoesBeforeOthers(t *testing.T) {
	nstest.Require(t, "root", "tcx")
	r := newRig(t, Options{})
	r.agree()
	r.greedyFilter(nstest.Greedy(t))
	r.mend(1)
	r.beat(orphaned)
	r.send(pdu())
	r.wait(1)
}
