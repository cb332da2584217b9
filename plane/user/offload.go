package user

import (
	"errors"
	"fmt"

	"github.com/yokelag/yoke/internal/ethtool"
)

// cutTunnels makes the kernel cut and sum what a virtio header cannot describe, before
// the aggregate's device gets it: segments of tunnels and of SCTP, and the checksum of
// SCTP. Features that the kernel does not have are passed over.
func cutTunnels(tool *ethtool.Socket, name string) error {
	for _, feature := range []string{
		"tx-gre-segmentation", "tx-gre-csum-segmentation", "tx-ipxip4-segmentation", "tx-ipxip6-segmentation",
		"tx-udp_tnl-segmentation", "tx-udp_tnl-csum-segmentation", "tx-gso-partial", "tx-gso-list",
		"tx-sctp-segmentation", "tx-checksum-sctp",
	} {
		f, err := tool.Feature(name, feature)
		if errors.Is(err, ethtool.ErrNoFeature) || err == nil && (!f.Active || !f.Changeable) {
			continue
		}
		if err == nil {
			err = tool.SetFeature(name, feature, false)
		}
		if err != nil {
			return fmt.Errorf("switch %s of %s off: %w", feature, name, err)
		}
	}
	return nil
}
