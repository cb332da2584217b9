package port

import (
	"bufio"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/iface"
)

// SlowProtocols has the ports of a plan that hands slow protocols to the daemon receive
// the group address that those go to, as `ip maddr add` does: unlike the membership of a
// packet socket it outlives the daemon. It ends where the plan does not ask for it any
// more, and with the release of the port, also by the next daemon. A membership that was
// there before stays.
func (k *Keeper) SlowProtocols(plan agg.Plan) error {
	return k.space.Do(func() error {
		var errs []error
		for i := range k.journal.Ports {
			r := &k.journal.Ports[i]
			want := plan.Punt&agg.ClassSlow != 0 && plan.PortByName(r.Name) != agg.NoPort
			if joined, known := k.slow[r.Index]; r.Phase != taken || known && joined == want || !known && !want && !r.SlowGroup {
				continue
			}
			if err := k.setSlow(r, want); err != nil {
				errs = append(errs, fmt.Errorf("group address of slow protocols on port %s: %w", r.Name, err))
			}
		}
		return errors.Join(errs...)
	})
}

// setSlow joins or leaves. The journal says that it may be joined before it is, and that
// it is not after it was left.
func (k *Keeper) setSlow(r *Record, on bool) error {
	save := func() error { return k.journal.save(k.path) }
	switch {
	case on && !r.SlowGroup && !inSlowGroup(r.Index):
		r.SlowGroup = true
		if err := k.step(save); err != nil {
			return err
		}
		if err := k.step(func() error { return changeSlowGroup(unix.SIOCADDMULTI, r.Index) }); err != nil {
			return err
		}
	case on && r.SlowGroup: // by the daemon before, who may have ended before it was done
		if err := changeSlowGroup(unix.SIOCADDMULTI, r.Index); err != nil {
			return err
		}
	case !on && r.SlowGroup:
		if err := changeSlowGroup(unix.SIOCDELMULTI, r.Index); err != nil {
			return err
		}
		r.SlowGroup = false
		if err := k.step(save); err != nil {
			return err
		}
	}
	if k.slow == nil {
		k.slow = map[int]bool{}
	}
	k.slow[r.Index] = on
	return nil
}

// leaveSlow ends the membership of a port that is given back.
func leaveSlow(r Record) error {
	if !r.SlowGroup {
		return nil
	}
	return changeSlowGroup(unix.SIOCDELMULTI, r.Index)
}

// slowGroup is the address that LACPDUs go to (802.3 annex 57A).
func slowGroup() agg.MAC { return agg.MAC{1, 0x80, 0xc2, 0, 0, 2} }

// inSlowGroup reports whether somebody has joined an interface as `ip maddr add` does: the
// kernel counts that once, whoever asks how often.
func inSlowGroup(index int) bool {
	f, err := os.Open("/proc/thread-self/net/dev_mcast")
	if err != nil {
		return false // nobody can have asked for what cannot be seen
	}
	defer f.Close()
	group := slowGroup()
	address := hex.EncodeToString(group[:])
	for lines := bufio.NewScanner(f); lines.Scan(); {
		// ifindex, name, users, users by request, address
		w := strings.Fields(lines.Text())
		if len(w) == 5 && w[0] == strconv.Itoa(index) && w[4] == address {
			return w[3] != "0"
		}
	}
	return false
}

// groupRequest is struct ifreq with a hardware address (linux/if.h).
type groupRequest struct {
	name    [unix.IFNAMSIZ]byte
	family  uint16
	address [14]byte
	_       [8]byte
}

// changeSlowGroup joins or leaves. A device without a filter refuses, and receives
// everything; one that is gone, or was left before, is no error.
func changeSlowGroup(request uintptr, index int) error {
	name, err := iface.NameOf(index)
	if err != nil {
		if iface.IsAbsent(err) {
			return nil
		}
		return err
	}
	// Any kind of socket will do. To close one of packets takes a grace period of the kernel.
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	r := groupRequest{family: unix.AF_UNSPEC}
	copy(r.name[:unix.IFNAMSIZ-1], name)
	group := slowGroup()
	copy(r.address[:], group[:])
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), request, uintptr(unsafe.Pointer(&r)))
	switch errno {
	case 0, unix.EINVAL, unix.EOPNOTSUPP, unix.ENODEV, unix.ENOENT:
		return nil
	default:
		return errno
	}
}
