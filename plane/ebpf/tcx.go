package ebpf

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
)

// links attaches by tcx, for Linux 6.6 and later: BPF links pinned in dir.
type links struct{ dir string }

func (t links) pin(h hook) string { return filepath.Join(t.dir, "link-"+h.name) }

func attachType(ingress bool) ebpf.AttachType {
	if ingress {
		return ebpf.AttachTCXIngress
	}
	return ebpf.AttachTCXEgress
}

// next is where a link is pinned before it takes the place of another.
func (t links) next(h hook) string { return filepath.Join(t.dir, "next-"+h.name) }

// attach puts p before all links at ingress, behind all at egress. The kernel cannot move a
// link: one that is pinned already, elsewhere in the chain or of an interface that has gone,
// ends when the new one is pinned in its place.
func (t links) attach(h hook, p *ebpf.Program) error {
	anchor := link.Tail()
	if h.ingress {
		anchor = link.Head()
	}
	l, err := link.AttachTCX(link.TCXOptions{
		Interface: h.ifindex, Program: p, Attach: attachType(h.ingress), Anchor: anchor,
	})
	if err != nil {
		return fmt.Errorf("attach %s to interface %d: %w", h.name, h.ifindex, err)
	}
	defer l.Close()
	return t.keep(h, l)
}

// keep pins l in the place of what is pinned. At no moment, and however the daemon ends, are
// both gone.
func (t links) keep(h hook, l link.Link) error {
	if err := unpin(t.next(h), h); err != nil {
		return err
	}
	if err := l.Pin(t.next(h)); err != nil {
		return fmt.Errorf("pin link of %s: %w", h.name, err)
	}
	if err := os.Rename(t.next(h), t.pin(h)); err != nil {
		return fmt.Errorf("pin link of %s: %w", h.name, errors.Join(err, unpin(t.next(h), h)))
	}
	return nil
}

func unpin(pin string, h hook) error {
	if err := os.Remove(pin); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("unpin link of %s: %w", h.name, err)
	}
	return nil
}

func (t links) update(h hook, p *ebpf.Program) error {
	l, err := link.LoadPinnedLink(t.pin(h), nil)
	if err != nil {
		return fmt.Errorf("open pinned link of %s: %w", h.name, err)
	}
	defer l.Close()
	if err := l.Update(p); err != nil {
		return fmt.Errorf("replace program of %s: %w", h.name, err)
	}
	return unpin(t.next(h), h) // of a move that was cut short
}

// find tells the link of h, if there is one.
func (t links) find(h hook) (id link.ID, found bool) {
	l, err := link.LoadPinnedLink(t.pin(h), nil)
	if err != nil {
		return 0, false
	}
	defer l.Close()
	info, err := l.Info()
	if err != nil || info.TCX() == nil {
		return 0, false
	}
	return info.ID, int(info.TCX().Ifindex) == h.ifindex
}

func (t links) attached(h hook) bool {
	_, found := t.find(h)
	return found
}

func (t links) detach(h hook) error {
	return errors.Join(unpin(t.next(h), h), unpin(t.pin(h), h))
}
