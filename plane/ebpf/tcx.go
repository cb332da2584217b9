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

func (t links) attach(h hook, p *ebpf.Program) error {
	if err := t.detach(h); err != nil { // a link whose interface has gone
		return err
	}
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
	if err := l.Pin(t.pin(h)); err != nil {
		return fmt.Errorf("pin link of %s: %w", h.name, err)
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
	return nil
}

func (t links) attached(h hook) bool {
	l, err := link.LoadPinnedLink(t.pin(h), nil)
	if err != nil {
		return false
	}
	defer l.Close()
	info, err := l.Info()
	if err != nil || info.TCX() == nil {
		return false
	}
	return int(info.TCX().Ifindex) == h.ifindex
}

func (t links) detach(h hook) error {
	if err := os.Remove(t.pin(h)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("unpin link of %s: %w", h.name, err)
	}
	return nil
}
