package afpacket

import (
	"encoding/binary"
	"testing"
)

func TestNetworkOrder(t *testing.T) {
	got := binary.NativeEndian.AppendUint16(nil, NetworkOrder(0x8809))
	if got[0] != 0x88 || got[1] != 0x09 {
		t.Errorf("in memory it is %x", got)
	}
}
