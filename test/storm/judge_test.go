package storm

import (
	"context"
	"encoding/binary"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/rtnl"
	"github.com/yokelag/yoke/policy"
	"github.com/yokelag/yoke/watch"
	"github.com/yokelag/yoke/wire"
)

// patience is how much later than quietTime the plan may come on a machine that others
// use too. It is shorter than the engine's period of reading back, which would hide a lost
// wake-up. The tally tells how often that was and the latest of them.
const patience = 1500 * time.Millisecond

// left is what is left of patience. The engine runs in this process, and is held up where the
// one who waits for it is: of a look that takes longer than a look does, that much counts.
type left struct {
	patience time.Duration
	looked   time.Time
}

func newLeft() *left { return &left{patience, time.Now()} }

// none is asked once a look.
func (l *left) none() bool {
	const look = 50 * time.Millisecond
	now := time.Now()
	l.patience -= min(now.Sub(l.looked), look)
	l.looked = now
	return l.patience <= 0
}

// judge waits for quiet and compares the plane with the facts, first its plan, then
// what it does. All storms come to it at the same time, so the machine is quiet too.
func (s *storm) judge() error {
	quiet := time.Now()
	time.Sleep(quietTime)
	since, err := s.awaitPlan()
	if err != nil {
		return err
	}
	want, err := s.fromScratch()
	if err != nil {
		return err
	}
	s.tally.checks++
	if late := since.Sub(quiet) - quietTime; late > 0 {
		s.tally.late++
		s.tally.latestPlan = max(s.tally.latestPlan, late)
		if s.strict {
			return fmt.Errorf("%w %v after the last bounce: the plan came %v later", errNotSettled, quietTime, late)
		}
	}
	if err := s.sendAndReceive(want); err != nil {
		return fmt.Errorf("by\n%s\n%w", short(want), err)
	}
	facts, err := s.engine.Facts(context.Background())
	if err != nil {
		return err
	}
	if facts.Published == nil || !facts.Published.Equal(want) {
		return fmt.Errorf("%w: read back it is\n%v\nfrom scratch it is\n%v", errNotSettled, facts.Published, want)
	}
	if err := s.addresses(want); err != nil {
		return err
	}
	s.plane.mu.Lock()
	s.tally.applied, s.tally.refused, s.tally.longestApply = s.plane.applied, s.plane.refused, s.plane.longest
	s.plane.mu.Unlock()
	s.tally.repairs = s.store.load().Repairs
	return nil
}

// awaitPlan waits until the plane has the plan that follows from the facts, and tells since
// when it has.
func (s *storm) awaitPlan() (time.Time, error) {
	for left := newLeft(); ; time.Sleep(time.Millisecond) {
		want, err := s.fromScratch()
		if err != nil {
			return time.Time{}, err
		}
		has, since := s.plane.last()
		if has.Equal(want) {
			return since, nil
		}
		if left.none() {
			return since, fmt.Errorf("%w: it has\n%s\nfrom scratch it is\n%s", errNotSettled, short(has), short(want))
		}
	}
}

// addresses waits until every port has the aggregate's address and MTU: the engine looks
// for those a few times a second.
func (s *storm) addresses(plan agg.Plan) error {
	for left := newLeft(); ; time.Sleep(time.Millisecond) {
		read, err := s.fresh.Read(context.Background(), s.names())
		if err != nil {
			return err
		}
		stray := slices.IndexFunc(read, func(l rtnl.Link) bool {
			return l.Present && (l.MAC != plan.MAC || l.MTU != plan.MTU)
		})
		if stray < 0 {
			return nil
		}
		if left.none() {
			return fmt.Errorf("%w: port %+v, aggregate %s", errNotSettled, read[stray], plan.MAC)
		}
	}
}

func (s *storm) names() (names []string) {
	for _, p := range s.ports {
		names = append(names, p.name)
	}
	return names
}

// fromScratch makes the plan from the facts as the kernel tells them now, with the saved
// state.
func (s *storm) fromScratch() (agg.Plan, error) {
	config := s.spec.Config()
	read, err := links{s.fresh}.Read(context.Background(), s.names())
	if err != nil {
		return agg.Plan{}, err
	}
	saved := s.store.load()
	in := policy.Input{MAC: saved.MAC, Moves: saved.Moves, Previous: saved.Policy}
	for _, l := range read {
		v := policy.Verdict{}
		if watch.NewCarrier(0, 0).Step(watch.Input{Link: l}).Phase == watch.Up {
			v.State = policy.Up
		}
		in.Ports = append(in.Ports, policy.PortInput{Link: l, Watch: v})
	}
	plan, _, _ := policy.Plan(config, in)
	return plan, nil
}

// short writes a plan with the shares of its table.
func short(p agg.Plan) string {
	shares := map[int]int{}
	for _, c := range p.Table {
		shares[c.First]++
	}
	return fmt.Sprintf("plan %d blocked %v carrier %v %s shares %v ports %+v", p.Generation, p.Blocked, p.Carrier, p.Select, shares, p.Ports)
}

// The frames of a judgement are datagrams whose payload names storm, check and number.
const (
	generic    = 64
	payloadAt  = wire.EthernetLen + wire.IPv4Len + wire.UDPLen
	payloadLen = 12
	magic      = 0x596f6b65
)

func (s *storm) flow(number int) wire.Flow {
	return wire.Flow{
		SrcMAC: s.store.load().MAC, DstMAC: [6]byte{2, 0xfa, 0, 0, 0, byte(number)},
		Src: netip.AddrFrom4([4]byte{192, 0, 2, byte(s.seed)}), Dst: netip.AddrFrom4([4]byte{198, 51, 100, byte(number)}),
		Protocol: wire.ProtoUDP, SrcPort: 1000 + uint16(number), DstPort: 9,
	}
}

func (s *storm) payload(number int) []byte {
	b := binary.BigEndian.AppendUint32(nil, magic)
	b = binary.BigEndian.AppendUint32(b, s.check())
	return binary.BigEndian.AppendUint32(b, uint32(number))
}

func (s *storm) check() uint32 { return uint32(s.seed)<<20 | uint32(s.checks) }

// checkOf tells which judgement a frame belongs to, 0 for none.
func checkOf(frame []byte) uint32 {
	if len(frame) < payloadAt+payloadLen || binary.BigEndian.Uint32(frame[payloadAt:]) != magic {
		return 0
	}
	return binary.BigEndian.Uint32(frame[payloadAt+4:])
}

// sendAndReceive sends frames by the aggregate, which must arrive by the ports that the
// plan names, and by each cable, which must arrive where the port receives; none is
// lost, and none is anywhere else.
func (s *storm) sendAndReceive(plan agg.Plan) error {
	s.checks++
	if err := s.transmit(plan); err != nil {
		return err
	}
	s.checks++
	return s.receive(plan)
}

func (s *storm) transmit(plan agg.Plan) error {
	want, got := map[string]int{}, map[string]*ear{}
	for _, p := range s.ports {
		e, err := p.listen(s.check())
		if err != nil {
			return err
		}
		defer e.close()
		got[p.name] = e
	}
	index, err := s.deviceIndex()
	if err != nil {
		return err
	}
	for number, flow := range s.flows(plan) {
		frame := flow.AppendTo(nil, s.payload(number))
		if port := policy.Explain(plan, frame, policy.Tag{}).Port; port != "" {
			want[port]++
		}
		err := unix.Sendto(s.out, frame, 0, &unix.SockaddrLinklayer{Ifindex: index, Protocol: htons(unix.ETH_P_IP)})
		if err != nil && !plan.Blocked {
			return fmt.Errorf("send by %s: %w", s.spec.Name, err)
		}
	}
	for _, p := range plan.Ports {
		if p.Transmit && want[p.Name] == 0 {
			return fmt.Errorf("no flow found that leaves by %s", p.Name)
		}
	}
	return s.compare("sent", want, got)
}

// flows are some of all kinds, and one for each port that transmits.
func (s *storm) flows(plan agg.Plan) []wire.Flow {
	var out []wire.Flow
	for i := range generic {
		out = append(out, s.flow(i))
	}
	for _, p := range plan.Ports {
		if !p.Transmit {
			continue
		}
		f := s.flow(200)
		if port, err := policy.FindSourcePort(plan, f, policy.Tag{}, p.Name); err == nil {
			f.SrcPort = port
			out = append(out, f)
		}
	}
	return out
}

func (s *storm) receive(plan agg.Plan) error {
	index, err := s.deviceIndex()
	if err != nil {
		return err
	}
	e, err := listen(s.near, index, s.check())
	if err != nil {
		return err
	}
	defer e.close()
	e.own = true
	want := 0
	for i, p := range s.ports {
		if l, err := p.link(); err != nil || l.Attrs().RawFlags&unix.IFF_LOWER_UP == 0 {
			continue
		}
		for number := range generic {
			flow := s.flow(number)
			flow.SrcMAC, flow.DstMAC = flow.DstMAC, plan.MAC
			if err := p.send(flow.AppendTo(nil, s.payload(i*generic+number))); err != nil {
				return fmt.Errorf("send by the far end of %s: %w", p.name, err)
			}
			if plan.Ports[i].Receive {
				want++
			}
		}
	}
	return s.compare("received", map[string]int{s.spec.Name: want}, map[string]*ear{s.spec.Name: e})
}

func (s *storm) deviceIndex() (int, error) {
	l, err := s.near.Handle().LinkByName(s.spec.Name)
	if err != nil {
		return 0, err
	}
	return l.Attrs().Index, nil
}

// compare waits until every ear heard what it should and a moment more.
func (s *storm) compare(what string, want map[string]int, got map[string]*ear) error {
	deadline := time.Now().Add(10 * time.Second)
	for name, e := range got {
		for e.heard() < want[name] && time.Now().Before(deadline) {
			time.Sleep(100 * time.Microsecond)
		}
	}
	time.Sleep(5 * time.Millisecond)
	for name, e := range got {
		if n := e.heard(); n != want[name] {
			return fmt.Errorf("%s: %d frames at %s, not %d; %s", what, n, name, want[name], s.counters())
		}
		s.tally.frames += want[name]
	}
	return nil
}

// counters says where frames may have gone.
func (s *storm) counters() string {
	f, err := s.engine.Facts(context.Background())
	softnet, _ := os.ReadFile("/proc/net/softnet_stat")
	return fmt.Sprintf("counters %v %v, ports %+v, device %+v\nsoftnet:\n%s", f.Counters, err, f.Ports, f.Device, softnet)
}

func htons(v uint16) uint16 { return v<<8 | v>>8 }
