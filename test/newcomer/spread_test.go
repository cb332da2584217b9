package newcomer

import (
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"

	"github.com/yokelag/yoke/test/rig"
	"github.com/yokelag/yoke/wire"
)

// Which policy to take costs nothing but a capture.
func TestExplainSpread(t *testing.T) {
	v := newVisit(t)
	v.Must("up", "bond0", "mode=balance-xor", "xmit_hash_policy=layer2", "eth1", "eth2")
	path := filepath.Join(v.Dir, "t.pcap")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	w := pcapgo.NewWriter(file)
	err = w.WriteFileHeader(256, layers.LinkTypeEthernet)
	here, there := [6]byte(v.Here.MAC("bond0")), [6]byte{2, 0, 0, 0, 0, 2}
	flow := wire.Flow{SrcMAC: here, DstMAC: there, Protocol: wire.ProtoUDP, DstPort: 53, Src: netip.MustParseAddr("192.0.2.1"), Dst: netip.MustParseAddr("192.0.2.2")}
	back := flow
	back.SrcMAC, back.DstMAC = there, here
	for i := range 2000 {
		flow.SrcPort = uint16(20000 + i)
		for _, f := range []wire.Flow{flow, back} { // what comes in does not count
			frame := f.AppendTo(nil, []byte("question"))
			if err == nil {
				err = w.WritePacket(gopacket.CaptureInfo{CaptureLength: len(frame), Length: len(frame)}, frame)
			}
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	v.answers(0, "explain bond0 --spread "+path, "2000 frames", "among 2 ports", "2.00 of a fair share", "now",
		"layer3+4 would share this traffic best: `yoke set bond0 xmit_hash_policy=layer3+4`")
	v.Must("set", "bond0", "xmit_hash_policy=layer3+4")
	v.answers(0, "explain bond0 --spread "+path, "layer3+4 is as good as any for this traffic")
	v.answers(0, "explain bond0 -o json --spread "+path, `"policy_now": "layer3+4"`, `"worst_of_bytes": 2`)
}

// Nor does it cost a file: it is enough to watch for a while.
func TestExplainSpreadLive(t *testing.T) {
	v := newVisit(t)
	v.Up("br0", "mode=balance-xor", "xmit_hash_policy=layer2", "eth1", "eth2")
	v.WaitCarrying(2)
	v.Here.MustPing(rig.ThereAddr)
	stop := make(chan struct{})
	var talk sync.WaitGroup
	var sockets []net.Conn
	if err := v.Here.Run(func() error {
		for range 64 {
			c, err := net.Dial("udp", rig.ThereAddr+":9")
			if err != nil {
				return err
			}
			sockets = append(sockets, c)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	talk.Go(func() {
		for {
			for _, c := range sockets {
				_, _ = c.Write([]byte("question")) // refused now and then: nobody listens there
			}
			select {
			case <-stop:
				return
			case <-time.After(time.Millisecond):
			}
		}
	})
	v.answers(0, "explain bond0 --spread 1s", "that bond0 sent", "among 2 ports", "of a fair share", "now",
		"layer3+4 would share this traffic best: `yoke set bond0 xmit_hash_policy=layer3+4`")
	close(stop)
	talk.Wait()
	for _, c := range sockets {
		_ = c.Close()
	}
	v.answers(1, "explain bond0 --spread no-such-file", "no such file")
	v.answers(2, "explain bond0 --spread 1ns", "watched for 100ms to 5m0s")
	v.Must("set", "bond0", "fast_path=on")
	v.answers(1, "explain bond0 --spread 1s", "`yoke set bond0 fast_path=off`")
}
