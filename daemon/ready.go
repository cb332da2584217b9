package daemon

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/compat/proc"
	"github.com/yokelag/yoke/control"
	"github.com/yokelag/yoke/internal/iface"
	"github.com/yokelag/yoke/plane/port"
)

// ready tells whether an aggregate is as far as somebody waits for.
func (s *server) ready(r *http.Request) (any, error) {
	list, err := s.registry.statuses(r.Context(), r.PathValue("name"))
	if err != nil {
		return nil, err
	}
	a := list.Aggregates[0]
	out := control.Readiness{Version: control.Version, Aggregate: a.Name}
	what, detail, valued := strings.Cut(r.URL.Query().Get("for"), "=")
	switch {
	case what == "carrier" && !valued:
		out.Ready, out.Text = a.Device.Carrier, a.Summary
	case what == "ports":
		n, err := strconv.Atoi(detail)
		if err != nil || n < 0 || n > agg.MaxPorts {
			return nil, unknownWait(r.URL.Query().Get("for"))
		}
		usable := usablePorts(a)
		out.Ready, out.Text = usable >= n, fmt.Sprintf("%d of %d ports work", usable, a.Total)
	case what == "reachable":
		return s.reachable(out, a, detail)
	default:
		return nil, unknownWait(r.URL.Query().Get("for"))
	}
	return out, nil
}

func unknownWait(text string) *agg.Problem {
	return &agg.Problem{Code: control.CodeBadRequest, Option: "for", Value: text, Rule: "must be carrier, ports=N, reachable or reachable=ADDRESS",
		Remedy: "for example `yoke wait bond0 --for ports=2`"}
}

// usablePorts counts the ports that carry or would take over.
func usablePorts(a agg.Status) int {
	n := 0
	for _, p := range a.Ports {
		usable := true
		for _, g := range p.Gates {
			if g.Name == agg.GatePolicy {
				break
			}
			usable = usable && g.OK
		}
		if usable {
			n++
		}
	}
	return n
}

// reachable asks the kernel for the neighbour behind the aggregate, or for every gateway
// of default routes that lead over it.
func (s *server) reachable(out control.Readiness, a agg.Status, target string) (any, error) {
	if _, inMemory := s.registry.world.(*dryWorld); inMemory {
		out.Ready, out.Text = a.Device.Carrier, "a dry run has no neighbours: carrier stands for them"
		return out, nil
	}
	if a.Device.Elsewhere {
		return nil, &agg.Problem{Code: "elsewhere", Object: a.Name, Rule: "its device is in another network namespace, whose neighbours are not seen here",
			Remedy: "wait for carrier: `yoke wait " + a.Name + " --for carrier`"}
	}
	device := deviceName(a)
	l, err := iface.ByName(device, iface.Here)
	if err != nil {
		return nil, err
	}
	var targets []netip.Addr
	if target != "" {
		addr, err := netip.ParseAddr(target)
		if err != nil {
			return nil, unknownWait("reachable=" + target)
		}
		targets = []netip.Addr{addr}
	} else if targets, err = gateways(l.Index); err != nil {
		return nil, err
	}
	if len(targets) == 0 {
		out.Text = "no default route leads over " + device + " yet"
		return out, nil
	}
	out.Ready = a.Device.Carrier
	var texts []string
	for _, t := range targets {
		answers, err := neighbourAnswers(l.Index, device, t)
		if err != nil {
			return nil, err
		}
		out.Ready = out.Ready && answers
		texts = append(texts, t.String()+map[bool]string{true: " answers", false: " does not answer"}[answers])
	}
	out.Text = strings.Join(texts, ", ")
	return out, nil
}

func gateways(index int) ([]netip.Addr, error) {
	routes, err := netlink.RouteListFiltered(unix.AF_UNSPEC, &netlink.Route{LinkIndex: index}, netlink.RT_FILTER_OIF)
	if err != nil {
		return nil, fmt.Errorf("list routes: %w", err)
	}
	var out []netip.Addr
	for _, r := range routes {
		ones := 0
		if r.Dst != nil {
			ones, _ = r.Dst.Mask.Size()
		}
		if gw, ok := netip.AddrFromSlice(r.Gw); ok && ones == 0 {
			out = append(out, gw.Unmap())
		}
	}
	return out, nil
}

// neighbourAnswers looks whether the kernel knows the neighbour as alive, and makes it ask
// otherwise: a datagram to the discard port, which it sends once it has an answer.
func neighbourAnswers(index int, device string, target netip.Addr) (bool, error) {
	family := unix.AF_INET
	if target.Is6() {
		family = unix.AF_INET6
	}
	list, err := netlink.NeighList(index, family)
	if err != nil {
		return false, fmt.Errorf("list neighbours: %w", err)
	}
	for _, n := range list {
		ip, _ := netip.AddrFromSlice(n.IP)
		if ip.Unmap() == target && n.State&(netlink.NUD_REACHABLE|netlink.NUD_PERMANENT|netlink.NUD_NOARP) != 0 {
			return true, nil
		}
	}
	const discard = 9
	to := &net.UDPAddr{IP: target.AsSlice(), Port: discard}
	if target.Is6() && target.IsLinkLocalUnicast() {
		to.Zone = device
	}
	c, err := net.DialUDP("udp", nil, to)
	if err != nil {
		return false, nil //nolint:nilerr // without a route it is not reachable, which is the answer
	}
	_, _ = c.Write([]byte{0}) // refused where nobody answers
	return false, c.Close()
}

// proc words a status as the bonding driver does.
func (s *server) proc(w http.ResponseWriter, r *http.Request) {
	list, err := s.registry.statuses(r.Context(), r.PathValue("name"))
	if err != nil {
		s.refuse(w, err)
		return
	}
	name := list.Aggregates[0].Name
	permanent, err := permanentAddresses(s.registry.dir, name)
	if err != nil {
		s.refuse(w, err)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	text := proc.Bonding(list.Aggregates[0], proc.Extra{Driver: "yoked " + s.about.Release, Permanent: permanent})
	if _, err := w.Write([]byte(text)); err != nil {
		s.log.Debug("answer not delivered", "path", r.URL.Path, "error", err)
	}
}

// permanentAddresses are those that ports had before they were taken, from their journal.
func permanentAddresses(dir, name string) (map[string]agg.MAC, error) {
	text, err := os.ReadFile(filepath.Join(dir, name+port.Suffix))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	var journal struct {
		Ports []port.Record `json:"ports"`
	}
	if err == nil {
		err = json.Unmarshal(text, &journal)
	}
	if err != nil {
		return nil, fmt.Errorf("read the journal of ports: %w", err)
	}
	out := map[string]agg.MAC{}
	for _, p := range journal.Ports {
		out[p.Name] = p.MAC
	}
	return out, nil
}

// openAPI is the description of all this.
func (s *server) openAPI(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	http.ServeContent(w, r, "", time.Time{}, strings.NewReader(control.OpenAPI()))
}
