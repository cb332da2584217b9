package port

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"strconv"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/bootclock"
)

// version is that of the journal's format.
const version = 1

// Suffix ends the names of journals: NAME.ports.json beside each other in the state
// directory.
const Suffix = ".ports.json"

// phase says how far a take or release has come.
type phase string

const (
	taking    phase = "taking"
	taken     phase = "taken"
	releasing phase = "releasing"
)

// journal is the content of the file.
type journal struct {
	Version   int      `json:"version"`
	Aggregate string   `json:"aggregate"`
	Boot      string   `json:"boot"`
	Namespace uint64   `json:"namespace"` // inode of the network namespace
	Ports     []Record `json:"ports"`
}

// Record is what a port was before it was taken.
type Record struct {
	// Name is the name at the time of the take, Index the ifindex that counts.
	Name  string  `json:"name"`
	Index int     `json:"ifindex"`
	Phase phase   `json:"phase"`
	MAC   agg.MAC `json:"mac"`
	MTU   int     `json:"mtu"`
	// Given is the address that it has while it is taken, zero where that is its own. It is
	// how an interface that was moved to another namespace is known there.
	Given agg.MAC `json:"given,omitzero"`
	// AdminUp and AllMulti are the flags.
	AdminUp  bool `json:"admin_up"`
	AllMulti bool `json:"allmulti"`
	// Promisc is another; PromiscSet: it may have been set.
	Promisc    bool `json:"promisc,omitempty"`
	PromiscSet bool `json:"promisc_set,omitempty"`
	// GenMode is the IPv6 address generation mode, -1 without IPv6.
	GenMode int `json:"addr_gen_mode"`
	// DisableIPv6 is the sysctl's text, empty where it could not be read.
	DisableIPv6 string `json:"disable_ipv6,omitempty"`
	// LinkLocal are the IPv6 link-local prefixes that a take removes.
	LinkLocal []LinkLocal `json:"link_local,omitempty"`
	// VLANFilter: rx-vlan-filter was on and was switched off. SVLANFilter: so was
	// rx-vlan-stag-filter.
	VLANFilter  bool `json:"rx_vlan_filter,omitempty"`
	SVLANFilter bool `json:"rx_vlan_stag_filter,omitempty"`
	// SlowGroup: it was made to receive the group address of slow protocols.
	SlowGroup bool `json:"slow_group,omitempty"`
	// Clsact: a clsact qdisc was made for it.
	Clsact bool `json:"clsact,omitempty"`
	// Networkd: systemd-networkd was told. NetworkManager: it managed the interface and
	// was told.
	Networkd       bool `json:"networkd,omitempty"`
	NetworkManager bool `json:"network_manager,omitempty"`
	// Notes are what went wrong where a take may go on without it.
	Notes []string `json:"notes,omitempty"`
}

// Pending reports whether a take that was cut short, or a release, could not be brought
// to its end yet. The keeper tries again by itself, when it opens and before each take.
func (r Record) Pending() bool { return r.Phase != taken }

// LinkLocal is an IPv6 link-local address of a port before it was taken.
type LinkLocal struct {
	Prefix netip.Prefix `json:"prefix"`
	// Flags are those IFA_F_* that a user may give.
	Flags uint32 `json:"flags,omitempty"`
}

// load reads a journal; a file that is not there is an empty journal.
func load(path string) (journal, error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return journal{Version: version}, nil
	}
	if err != nil {
		return journal{}, fmt.Errorf("read port journal: %w", err)
	}
	return parse(path, b)
}

// loadWith reads a journal where it may have a record of the ifindex; the bool is false
// where it surely has none. With many aggregates nearly all have none, and to parse them
// would be most of the work of taking a port.
func loadWith(path string, index int) (journal, bool, error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return journal{}, false, nil
	}
	if err != nil {
		return journal{}, false, fmt.Errorf("read port journal: %w", err)
	}
	if !bytes.Contains(b, strconv.AppendInt(nil, int64(index), 10)) {
		return journal{}, false, nil
	}
	j, err := parse(path, b)
	return j, err == nil, err
}

// parse reads the content of a journal. One that is torn was being written when the power
// went: a file of this boot is whole, and names the boot.
func parse(path string, b []byte) (journal, error) {
	var j journal
	if err := json.Unmarshal(b, &j); err != nil {
		boot, unknown := bootclock.BootID()
		if unknown == nil && !bytes.Contains(b, []byte(boot)) {
			return journal{Version: version}, nil
		}
		return journal{}, errors.Join(fmt.Errorf("read port journal %s: %w", path, err), unknown)
	}
	if j.Version > version {
		return journal{}, &agg.Problem{
			Code: "newer-journal", Object: path,
			Rule:   fmt.Sprintf("was written by a newer Yoke (format %d; this one knows %d)", j.Version, version),
			Remedy: "run the newer yoked, or release the ports with it: yoke down --all",
		}
	}
	return j, nil
}

// save writes the journal so that a crash leaves the old one or the new one, whole. An
// empty journal is no file.
func (j journal) save(path string) error {
	if len(j.Ports) == 0 {
		err := os.Remove(path)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove port journal: %w", err)
		}
		return nil
	}
	b, err := json.MarshalIndent(j, "", "  ")
	if err != nil {
		return err
	}
	if err := writeFile(path, append(b, '\n'), 0o600); err != nil {
		return fmt.Errorf("write port journal: %w", err)
	}
	return nil
}

// writeFile replaces a file by rename: whoever reads it finds the old one or the new one,
// also after the writer was killed. It does not wait for the disk. What is written here
// counts until the machine goes down and no longer, and a disk that others keep busy would
// hold up a port for as long as they like.
func writeFile(path string, content []byte, mode os.FileMode) error {
	f, err := os.OpenFile(path+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	// Whatever the umask of the unit: networkd reads its file as a user of its own.
	err = errors.Join(err, f.Chmod(mode), f.Close())
	if err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}
