package wire_test

import (
	"fmt"

	"github.com/yokelag/yoke/wire"
)

// A flow makes frames; Parse reads them back.
func ExampleFlow() {
	flow, err := wire.ParseFlow("src=192.0.2.1,dst=192.0.2.2,proto=udp,sport=5000,dport=53,vlan=7")
	if err != nil {
		fmt.Println(err)
		return
	}
	frame := flow.AppendTo(nil, []byte("hello"))
	h, rest, err := wire.ParseEthernet(frame)
	if err != nil {
		fmt.Println(err)
		return
	}
	ip, rest, err := wire.ParseIPv4(rest)
	fmt.Println(len(frame), h.Tags.At(0).ID(), ip.Dst, len(rest), err)
	// Output: 51 7 192.0.2.2 13 <nil>
}
