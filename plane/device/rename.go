package device

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/yokelag/yoke/internal/iface"
)

// Rename makes the hidden end follow an outer end that somebody gave another name, in the
// calling thread's namespace. It may be repeated after a crash, and an aggregate without a
// hidden end is no error.
func Rename(from, to string) error {
	inner, err := iface.ByName(InnerName(from), iface.Here)
	if iface.IsAbsent(err) {
		return nil
	}
	if err != nil {
		return err
	}
	if of, ours := AggregateOf(inner.Alias); !ours || of != from && of != to {
		return nil
	}
	err = iface.Change(inner.Index).Alias(aliasPrefix + to).Do()
	if err == nil {
		err = rename(inner, InnerName(to))
	}
	if err != nil {
		return fmt.Errorf("rename the inner end of %s: %w", from, err)
	}
	return nil
}

// rename takes the interface down for a moment where the kernel, before Linux 6.2, renames
// none that is up; such a kernel had the outer end taken down too.
func rename(l iface.Link, to string) error {
	err := iface.Change(l.Index).Name(to).Do()
	if !errors.Is(err, unix.EBUSY) {
		return err
	}
	return errors.Join(setFlag(l.Index, false), iface.Change(l.Index).Name(to).Do(), setFlag(l.Index, true))
}

func setFlag(index int, up bool) error { return iface.Change(index).Flag(unix.IFF_UP, up).Do() }
