package device

import (
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// vethInfoPeer is VETH_INFO_PEER of linux/veth.h.
const vethInfoPeer = 1

// PeerData is the IFLA_INFO_DATA by which a veth device is made whose other end is the
// inner end of an aggregate, for who makes the outer end by a request of its own. [Ensure]
// adopts the pair.
func PeerData(aggregate string) []byte {
	peer := nl.NewRtAttr(vethInfoPeer, nl.NewIfInfomsg(unix.AF_UNSPEC).Serialize())
	peer.AddRtAttr(unix.IFLA_IFNAME, nl.ZeroTerminated(InnerName(aggregate)))
	peer.AddRtAttr(unix.IFLA_MTU, nl.Uint32Attr(innerMTU))
	peer.AddRtAttr(unix.IFLA_TXQLEN, nl.Uint32Attr(innerTxQueueLen))
	return peer.Serialize()
}
