package layers

import (
	"bytes"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/nstest"
	"github.com/yokelag/yoke/policy"
	"github.com/yokelag/yoke/test/rig"
	"github.com/yokelag/yoke/wire"
)

// vid is the VLAN of the guest; its tag travels beside the frame.
const vid = 100

// guestFrames are conversations of every kind, each with its number as payload.
func guestFrames() (frames [][]byte) {
	for i := range 48 {
		f := wire.Flow{SrcMAC: [6]byte{2, 0, 0, 0, 9, byte(i)}, DstMAC: [6]byte{2, 0, 0, 0, 8, byte(3 * i)}, SrcPort: uint16(20000 + 7*i), DstPort: uint16(80 + i%5)}
		f.Src, f.Dst = netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}), netip.AddrFrom4([4]byte{198, 51, 100, byte(5 * i)})
		if i%4 == 1 {
			f.Src, f.Dst = netip.MustParseAddr(fmt.Sprintf("2001:db8::%x", i)), netip.MustParseAddr(fmt.Sprintf("2001:db8:1::%x", 9*i))
		}
		f.Protocol = wire.ProtoUDP
		if i%2 == 0 {
			f.Protocol = wire.ProtoTCP
		}
		if i%8 == 7 {
			f.Src, f.Dst, f.Type = netip.Addr{}, netip.Addr{}, 0x88b5 // no IP at all
		}
		frames = append(frames, f.AppendTo(nil, fmt.Appendf(nil, "frame number %02d of a guest, padded to what Ethernet needs", i)))
	}
	return frames
}

// A bridge that tags what its guests send hands the tag on beside the frame, as a VLAN device
// does. The hashes then see what is behind the tag, and vlan+srcmac the tag itself: each frame
// leaves by the port that the driver's hash of frame and tag says, and with its tag.
func TestTagBesideTheFrame(t *testing.T) {
	for _, words := range [][]string{{"plane=ebpf"}, {"plane=ebpf", "fast_path=on"}, {"plane=user"}} {
		t.Run(fmt.Sprint(words), func(t *testing.T) {
			r := rig.New(t, "bpf", "tun", "bridgevlan", "program:bridge")
			r.Start()
			r.Must(append([]string{"up", "bond0", "mode=balance-xor", "hash_map=modulo", "eth1", "eth2"}, words...)...)
			r.Here.SetUp("bond0")
			r.WaitFor(func(s agg.Status) bool { return s.Carrying == 2 && s.Plan.InForce }, "two ports")
			r.Bridge(r.Here, "br1", "bond0")
			tap := r.Here.Tap("tap1")
			nstest.Command(t, r.Here, "ip", "link", "set", "tap1", "master", "br1")
			nstest.Command(t, r.Here, "ip", "link", "set", "br1", "type", "bridge", "vlan_filtering", "1")
			nstest.Command(t, r.Here, "bridge", "vlan", "add", "dev", "tap1", "vid", fmt.Sprint(vid), "pvid", "untagged")
			nstest.Command(t, r.Here, "bridge", "vlan", "add", "dev", "bond0", "vid", fmt.Sprint(vid))
			nstest.Eventually(t, 10*time.Second, func() bool {
				return bytes.Count([]byte(nstest.Command(t, r.Here, "bridge", "link")), []byte("state forwarding")) >= 2
			}, "the bridge to forward")
			captures := []*nstest.Capture{r.There.Capture("far1"), r.There.Capture("far2")}
			frames := guestFrames()
			for _, hash := range []agg.HashPolicy{agg.HashLayer2, agg.HashLayer23, agg.HashLayer34, agg.HashEncap23, agg.HashEncap34, agg.HashVLANSrcMAC} {
				r.Must("set", "bond0", "xmit_hash_policy="+hash.String())
				nstest.Eventually(t, 10*time.Second, func() bool {
					events := r.Must("events", "bond0")
					return strings.Count(events, "until the traffic pauses") == strings.Count(events, "has moved after")
				}, "what left a moment ago to be forgotten, under %s", hash)
				before := [2]int{len(captures[0].Frames()), len(captures[1].Frames())}
				for _, f := range frames {
					if _, err := tap.Write(f); err != nil {
						t.Fatal(err)
					}
				}
				for i, f := range frames {
					mark := fmt.Appendf(nil, "frame number %02d of a guest", i)
					at := -1
					nstest.Eventually(t, 10*time.Second, func() bool {
						for port, c := range captures {
							for _, seen := range c.Frames()[before[port]:] {
								if bytes.Contains(seen.Bytes, mark) && hasTag(seen.Bytes) {
									at = port
								}
							}
						}
						return at >= 0
					}, "frame %d under %s with its tag", i, hash)
					if want := int(policy.Hash(hash, f, policy.Tag{Present: true, TCI: vid}) % 2); at != want {
						t.Errorf("%s: frame %d left by eth%d, and the hash says eth%d", hash, i, at+1, want+1)
					}
				}
			}
			r.Must("down", "bond0")
		})
	}
}

// hasTag reports whether the frame has the guest's tag.
func hasTag(frame []byte) bool {
	h, _, err := wire.ParseEthernet(frame)
	return err == nil && h.Tags.Len() == 1 && h.Tags.At(0).ID() == vid
}
