package policy

import (
	"net/netip"
	"testing"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/wire"
)

// A thousand conversations between two hosts: to layer 2 they are one, by ports they are
// spread evenly; and a VLAN tag counts as one beside the frame.
func TestSharesOfTwoHosts(t *testing.T) {
	for _, m := range []agg.HashMap{agg.Buckets, agg.Modulo} {
		s := NewShares(2, m)
		for i := range 1000 {
			f := wire.Flow{SrcMAC: [6]byte{2, 0, 0, 0, 0, 1}, DstMAC: [6]byte{2, 0, 0, 0, 0, 2}, Protocol: wire.ProtoTCP, SrcPort: uint16(20000 + i), DstPort: 443,
				Src: netip.MustParseAddr("192.0.2.1"), Dst: netip.MustParseAddr("192.0.2.2")}
			if i%2 == 0 {
				f.Tags, _ = wire.MakeTags(wire.VLAN{Type: wire.TypeVLAN, TCI: 100})
			}
			frame := f.AppendTo(nil, nil)
			s.Add(frame, len(frame)+1000)
		}
		s.Add([]byte{1, 2, 3}, 3) // no frame
		if s.Frames != 1000 {
			t.Errorf("%d frames", s.Frames)
		}
		for _, share := range s.Each() {
			switch share.Policy {
			case agg.HashLayer2, agg.HashLayer23, agg.HashEncap23:
				if share.Bytes != 2 || share.Hashes != 1 {
					t.Errorf("%+v of one conversation", share)
				}
			case agg.HashLayer34, agg.HashEncap34:
				if share.Bytes > 1.15 || share.Frames > 1.15 || share.Hashes < 100 {
					t.Errorf("%+v of a thousand conversations", share)
				}
			case agg.HashVLANSrcMAC:
				if share.Hashes != 2 {
					t.Errorf("%+v of two VLANs", share)
				}
			default:
				t.Errorf("%+v of no policy", share)
			}
		}
	}
	if NewShares(2, agg.Buckets).Each() != nil {
		t.Error("shares of nothing")
	}
}
