package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"

	"github.com/yokelag/yoke/internal/netspace"
)

// host is a network namespace, with a netlink handle into it. The command lines that run
// in it are written down.
type host struct {
	*netspace.Space
	name string
	nl   *netlink.Handle
	log  *[]string
}

func newHost(name string, log *[]string) (*host, error) {
	space, err := netspace.Create()
	if err != nil {
		return nil, err
	}
	nl, err := netlink.NewHandleAt(netns.NsHandle(space.FD()), unix.NETLINK_ROUTE)
	if err != nil {
		return nil, errors.Join(err, space.Close())
	}
	h := &host{space, name, nl, log}
	// What the kernel says by itself is not to be counted.
	return h, h.Do(func() error {
		return os.WriteFile("/proc/thread-self/root/proc/sys/net/ipv6/conf/default/disable_ipv6", []byte("1"), 0)
	})
}

func (h *host) close() {
	h.nl.Close()
	_ = h.Close()
}

// note writes a command line down as it runs.
func (h *host) note(words ...string) { *h.log = append(*h.log, h.name+": "+strings.Join(words, " ")) }

// command runs a program in the host to its end.
func (h *host) command(name string, args ...string) error {
	h.note(append([]string{name}, args...)...)
	return h.quiet("", name, args...)
}

// quiet runs a program without writing it down.
func (h *host) quiet(input, name string, args ...string) error {
	cmd := exec.Command(name, args...)
	cmd.Stdin = strings.NewReader(input)
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := h.Do(cmd.Start); err != nil {
		return fmt.Errorf("%s %s: %w", name, strings.Join(args, " "), err)
	}
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("%s %s: %w: %s%s", name, strings.Join(args, " "), err, input, out.String())
	}
	return nil
}

// ip runs commands of ip(8), given without their first word, in one process.
func (h *host) ip(lines ...string) error { return h.batch("ip", lines) }

// tc does the same with tc(8).
func (h *host) tc(lines ...string) error { return h.batch("tc", lines) }

func (h *host) batch(program string, lines []string) error {
	for _, l := range lines {
		h.note(program, l)
	}
	return h.quiet(strings.Join(lines, "\n")+"\n", program, "-batch", "-")
}

func (h *host) link(name string) (netlink.Link, error) {
	l, err := h.nl.LinkByName(name)
	if err != nil {
		return nil, fmt.Errorf("%s in %s: %w", name, h.name, err)
	}
	return l, nil
}

// dropped is how many frames the filters in the clsact qdisc of an interface have dropped.
func (h *host) dropped(name string) (int, error) {
	l, err := h.link(name)
	if err != nil {
		return 0, err
	}
	list, err := h.nl.QdiscList(l)
	if err != nil {
		return 0, fmt.Errorf("qdiscs of %s: %w", name, err)
	}
	for _, q := range list {
		if q.Type() == "clsact" && q.Attrs().Statistics != nil && q.Attrs().Statistics.Queue != nil {
			return int(q.Attrs().Statistics.Queue.Drops), nil
		}
	}
	return 0, fmt.Errorf("%s in %s has no clsact qdisc", name, h.name)
}

// dropAll has an interface drop what it receives over IPv4, before anybody else sees it but
// packet sockets. LACP goes on.
func (h *host) dropAll(name string, makeQdisc bool) error {
	var lines []string
	if makeQdisc {
		lines = append(lines, "qdisc add dev "+name+" clsact")
	}
	return h.tc(append(lines, "filter add dev "+name+" ingress pref 10 protocol ip matchall action drop")...)
}

// undrop ends what dropAll began.
func (h *host) undrop(name string, madeQdisc bool) error {
	if madeQdisc {
		return h.tc("qdisc del dev " + name + " clsact")
	}
	return h.tc("filter del dev " + name + " ingress pref 10")
}
