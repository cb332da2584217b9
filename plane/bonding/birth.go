package bonding

import (
	"errors"

	"golang.org/x/sys/unix"

	"github.com/vishvananda/netlink/nl"

	"github.com/yokelag/yoke/agg"
)

// Here tells why there can be no bond in this network namespace, nil where there can. The
// module is loaded for it where the kernel has one, and nothing else changes: the kernel is
// asked for a bond without queues, which no driver gets.
func Here(aggregate string) error {
	d, err := NewDriver()
	if err != nil {
		return err
	}
	defer d.Close()
	body := appendAttribute(linkHead(0), unix.IFLA_NUM_TX_QUEUES, make([]byte, 4))
	body = append(body, info(nl.IFLA_INFO_KIND, nl.IFLA_INFO_DATA, nil)...)
	_, err = d.do(unix.RTM_NEWLINK, unix.NLM_F_ACK|unix.NLM_F_CREATE|unix.NLM_F_EXCL, body, 0)
	if p := noDriver(aggregate, err); p != nil {
		return p
	}
	return nil
}

// Birth is the IFLA_INFO_DATA of a new bond that is made in the place of another device: the
// options of a spec that can be set only while the bond is down or has no ports. One that is
// up and has addresses would lose routes if it were set down for them. What the running
// driver is too old for it ignores; Apply finds that.
func Birth(spec agg.Spec) ([]byte, error) {
	mode := spec.Config().Mode
	if mode == agg.Random {
		mode = agg.BalanceRR
	}
	var data []byte
	var errs []error
	for _, a := range Attributes() {
		text, said := spec.Options[a.Name]
		if a.Name == "mode" {
			text, said = mode.String(), true
		}
		if !said || !a.Down && !a.Empty || !a.in(mode) {
			continue
		}
		value, err := a.Kernel(spec.Name, text, indexOf)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		payload, err := a.encode(value)
		data, errs = appendAttribute(data, a.Number, payload), append(errs, err)
	}
	return data, errors.Join(errs...)
}
