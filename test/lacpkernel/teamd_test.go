package lacpkernel

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/nstest"
	"github.com/yokelag/yoke/test/rig"
)

// runDir is where teamd has its socket.
const runDir = "/run/teamd"

// teamds tells teamd devices apart: their sockets are all in one directory.
var teamds atomic.Int32

// teamd is the program with its lacp runner.
type teamd struct {
	r    *rig.Rig
	s    settings
	n    *nstest.NS
	name string
	addr string
	pid  int
}

func newTeamd(r *rig.Rig, s settings) partner {
	return &teamd{r: r, s: s, n: r.There, name: fmt.Sprintf("team%d", teamds.Add(1)), addr: rig.ThereAddr}
}

func (d *teamd) device() string { return d.name }

func (d *teamd) up() {
	d.r.T.Helper()
	var ports []string
	for _, port := range cables() {
		d.n.SetDown(port)
		ports = append(ports, fmt.Sprintf("%q: {}", port))
	}
	config := fmt.Sprintf(`{"runner": {"name": "lacp", "active": %v, "fast_rate": %v, "tx_hash": ["eth", "l3", "l4"]}, "ports": {%s}}`,
		d.s.theirActive, d.s.theirRate == "fast", strings.Join(ports, ", "))
	cmd := exec.Command("teamd", "-t", d.name, "-c", config)
	d.n.Start(cmd)
	d.pid = cmd.Process.Pid
	d.r.T.Cleanup(func() {
		for _, end := range []string{".sock", ".pid"} {
			_ = os.Remove(filepath.Join(runDir, d.name+end)) // it leaves them where it is killed
		}
	})
	nstest.Eventually(d.r.T, 20*time.Second, func() bool { return d.n.Has(d.name) && d.joined() }, "teamd to take its ports")
	d.n.AddAddr(d.name, d.addr+"/24")
	d.n.SetUp(d.name)
}

func (d *teamd) joined() bool {
	views, err := d.ports()
	return err == nil && len(views) == len(cables())
}

// dump is its answer to StateDump.
func (d *teamd) dump() ([]byte, error) {
	c, err := net.DialUnix("unixpacket", nil, &net.UnixAddr{Name: filepath.Join(runDir, d.name+".sock"), Net: "unixpacket"})
	if err != nil {
		return nil, err
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
		return nil, err
	}
	if _, err := c.Write([]byte("REQUEST\nStateDump\n")); err != nil {
		return nil, err
	}
	answer := make([]byte, 1<<16)
	n, err := c.Read(answer)
	if err != nil {
		return nil, err
	}
	payload, ok := strings.CutPrefix(string(answer[:n]), "REPLY_SUCCESS\n")
	if !ok {
		return nil, fmt.Errorf("teamd says %q", answer[:n])
	}
	return []byte(payload), nil
}

// teamdEnd is one end as teamd dumps it.
type teamdEnd struct {
	SystemPriority uint16 `json:"system_priority"`
	System         string `json:"system"`
	Key            uint16 `json:"key"`
	PortPriority   uint16 `json:"port_priority"`
	Port           uint16 `json:"port"`
	State          uint8  `json:"state"`
}

func (e teamdEnd) end() (agg.LACPEnd, error) {
	mac, err := agg.ParseMAC(e.System)
	return agg.LACPEnd{SystemPriority: e.SystemPriority, System: mac, Key: e.Key, PortPriority: e.PortPriority, Port: e.Port, State: e.State}, err
}

func (d *teamd) ports() (map[string]view, error) {
	text, err := d.dump()
	if err != nil {
		return nil, err
	}
	var state struct {
		Ports map[string]struct {
			Runner struct {
				Actor   teamdEnd `json:"actor_lacpdu_info"`
				Partner teamdEnd `json:"partner_lacpdu_info"`
				State   string   `json:"state"`
			} `json:"runner"`
		} `json:"ports"`
	}
	if err := json.Unmarshal(text, &state); err != nil {
		return nil, err
	}
	out := map[string]view{}
	for name, p := range state.Ports {
		actor, err := p.Runner.Actor.end()
		if err != nil {
			return nil, err
		}
		them, err := p.Runner.Partner.end()
		if err != nil {
			return nil, err
		}
		out[name] = view{Actor: actor, Partner: them, Used: p.Runner.State}
	}
	return out, nil
}
