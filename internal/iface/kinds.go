package iface

import (
	"errors"
	"fmt"
	"slices"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/vishvananda/netlink/nl"
)

// Kinds are the interfaces of some kinds in one namespace. They are listed again only where
// the kernel has told of a change since: for a list it walks over all interfaces, of which
// there may be thousands, and they are asked for with each port. What it tells waits in a
// socket before the command that caused it returns, so List is as fresh as [OfKinds]. Its
// methods are safe for concurrent use, in the namespace it was made in.
type Kinds struct {
	kinds []string
	list  func(kinds ...string) ([]Link, error)

	mu    sync.Mutex
	fd    int // -1 when closed
	in    [8 << 10]byte
	known bool // links were right when the socket was empty
	links []Link
}

// WatchKinds watches the kinds in the calling thread's namespace.
func WatchKinds(kinds ...string) (*Kinds, error) {
	fd, err := openSocket()
	if err != nil {
		return nil, fmt.Errorf("netlink socket: %w", err)
	}
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: unix.RTMGRP_LINK}); err != nil {
		return nil, errors.Join(fmt.Errorf("listen for interfaces: %w", err), unix.Close(fd))
	}
	return &Kinds{kinds: kinds, list: OfKinds, fd: fd}, nil
}

// List returns what [OfKinds] would. The caller must not change it.
func (k *Kinds) List() ([]Link, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.changed() && k.known {
		return k.links, nil
	}
	links, err := k.list(k.kinds...)
	// Of one whose lower interface is elsewhere nothing is told when that comes here.
	away := func(l Link) bool { return l.NetNsID != Here }
	k.links, k.known = links, err == nil && !slices.ContainsFunc(links, away)
	return links, err
}

// changed empties the socket and reports whether something was told that may concern the
// list, or was lost. The last is what a full socket or a closed one says.
func (k *Kinds) changed() (changed bool) {
	for {
		n, _, flags, _, err := unix.Recvmsg(k.fd, k.in[:], nil, unix.MSG_DONTWAIT)
		switch {
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.EAGAIN):
			return changed
		case errors.Is(err, unix.ENOBUFS):
			changed = true
		case err != nil:
			return true
		default:
			changed = changed || flags&unix.MSG_TRUNC != 0 || k.concerned(k.in[:n])
		}
	}
}

// concerned reports whether a message is about an interface of the kinds, about one that is
// listed, or about one below.
func (k *Kinds) concerned(message []byte) bool {
	if len(message) < unix.SizeofNlMsghdr+unix.SizeofIfInfomsg {
		return true
	}
	body := message[unix.SizeofNlMsghdr:]
	if slices.Contains(k.kinds, quickKind(body)) {
		return true
	}
	index := int(int32(nl.NativeEndian().Uint32(body[4:])))
	return slices.ContainsFunc(k.links, func(l Link) bool { return l.Index == index || l.ParentIndex == index })
}

// Close ends the watch; List asks each time from then on.
func (k *Kinds) Close() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	fd := k.fd
	k.fd = -1
	return unix.Close(fd)
}
