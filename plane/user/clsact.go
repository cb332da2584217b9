package user

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// clsacts are the clsact qdiscs that this plane made, so that they go when their port
// is given back, and those of others stay. They are written down before they are made:
// ifindex by name of the port.
type clsacts struct {
	path string
	made map[string]int
}

func openClsacts(path string) (*clsacts, error) {
	c := &clsacts{path: path, made: map[string]int{}}
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return c, nil
	}
	if err == nil {
		err = json.Unmarshal(b, &c.made)
	}
	if err != nil {
		return nil, fmt.Errorf("read the journal of tc qdiscs %s: %w", path, err)
	}
	return c, nil
}

// ensure gives the port a clsact qdisc.
func (c *clsacts) ensure(name string, ifindex int) error {
	has, err := hasClsact(ifindex)
	if err != nil || has {
		return err
	}
	c.made[name] = ifindex
	if err := c.save(); err != nil {
		return err
	}
	return addClsact(ifindex)
}

// remove takes the qdisc away again where it is ours and no filter of others is in it.
func (c *clsacts) remove(name string) error {
	ifindex, ours := c.made[name]
	if !ours {
		return nil
	}
	used, err := hasFilters(ifindex)
	if err != nil {
		return err
	}
	if !used {
		if err := netlink.QdiscDel(clsact(ifindex)); err != nil && !gone(err) {
			return fmt.Errorf("remove the clsact qdisc of %s: %w", name, err)
		}
	}
	delete(c.made, name)
	return c.save()
}

func (c *clsacts) save() error {
	if len(c.made) == 0 {
		if err := os.Remove(c.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}
	b, err := json.Marshal(c.made)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(c.path), 0o755); err != nil {
		return err
	}
	fresh := c.path + ".new"
	if err := os.WriteFile(fresh, b, 0o644); err != nil {
		return err
	}
	return os.Rename(fresh, c.path)
}

func clsact(ifindex int) netlink.Qdisc {
	return &netlink.GenericQdisc{
		QdiscType: "clsact",
		QdiscAttrs: netlink.QdiscAttrs{
			LinkIndex: ifindex, Handle: netlink.MakeHandle(0xffff, 0), Parent: netlink.HANDLE_CLSACT,
		},
	}
}

func addClsact(ifindex int) error {
	if err := netlink.QdiscAdd(clsact(ifindex)); err != nil && !errors.Is(err, unix.EEXIST) {
		return fmt.Errorf("add a clsact qdisc to interface %d: %w", ifindex, err)
	}
	return nil
}

func hasClsact(ifindex int) (bool, error) {
	q, err := findClsact(ifindex)
	return q != nil, err
}

func findClsact(ifindex int) (netlink.Qdisc, error) {
	list, err := netlink.QdiscList(atIndex(ifindex))
	if err != nil {
		return nil, fmt.Errorf("list the qdiscs of interface %d: %w", ifindex, err)
	}
	for _, q := range list {
		if q.Type() == "clsact" {
			return q, nil
		}
	}
	return nil, nil
}

// clsactDrops is how many frames filters at the port's tc hooks have dropped.
func clsactDrops(ifindex int) uint64 {
	q, err := findClsact(ifindex)
	if err != nil || q == nil || q.Attrs().Statistics == nil || q.Attrs().Statistics.Queue == nil {
		return 0
	}
	return uint64(q.Attrs().Statistics.Queue.Drops)
}

func hasFilters(ifindex int) (bool, error) {
	for _, ingress := range []bool{true, false} {
		list, err := netlink.FilterList(atIndex(ifindex), hookParent(ingress))
		if err != nil && !gone(err) {
			return false, fmt.Errorf("list the filters of interface %d: %w", ifindex, err)
		}
		if len(list) > 0 {
			return true, nil
		}
	}
	return false, nil
}

// foreignFilters names the filters of others on an interface.
func foreignFilters(name string, ifindex int) []string {
	var out []string
	for _, ingress := range []bool{true, false} {
		list, err := netlink.FilterList(atIndex(ifindex), hookParent(ingress))
		if err != nil {
			continue // no clsact qdisc
		}
		for _, f := range list {
			if a := f.Attrs(); a.Handle != fenceHandle {
				out = append(out, fmt.Sprintf("%s %s: %s filter, priority %d", name, hookName(ingress), f.Type(), a.Priority))
			}
		}
	}
	return out
}

func atIndex(ifindex int) netlink.Link {
	return &netlink.Device{LinkAttrs: netlink.LinkAttrs{Index: ifindex}}
}

// gone: the interface or its qdisc is not there any more.
func gone(err error) bool {
	return errors.Is(err, unix.ENODEV) || errors.Is(err, unix.ENOENT) || errors.Is(err, unix.EINVAL)
}
