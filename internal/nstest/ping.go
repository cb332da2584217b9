package nstest

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"time"
)

// Ping sends ICMP echo requests to dst, one every 20 ms, until one is answered, and
// returns an error when none is within limit.
func (n *NS) Ping(dst string, limit time.Duration) error {
	addr, err := netip.ParseAddr(dst)
	if err != nil {
		return err
	}
	network, request, reply := "ip4:icmp", byte(8), byte(0)
	if addr.Is6() {
		network, request, reply = "ip6:ipv6-icmp", 128, 129
	}
	var conn *net.IPConn
	err = n.Run(func() (err error) {
		conn, err = net.DialIP(network, nil, &net.IPAddr{IP: addr.AsSlice(), Zone: addr.Zone()})
		return err
	})
	if err != nil {
		return fmt.Errorf("ping %s: %w", dst, err)
	}
	defer conn.Close()
	for end := time.Now().Add(limit); time.Now().Before(end); {
		_, _ = conn.Write(echo(request)) // refused while there is no link
		if answered(conn, reply, time.Now().Add(20*time.Millisecond)) {
			return nil
		}
	}
	return fmt.Errorf("ping %s: no answer in %v", dst, limit)
}

// MustPing fails the test where dst does not answer within ten seconds.
func (n *NS) MustPing(dst string) {
	n.t.Helper()
	if err := n.Ping(dst, 10*time.Second); err != nil {
		n.t.Fatal(err)
	}
}

func answered(conn *net.IPConn, reply byte, until time.Time) bool {
	_ = conn.SetReadDeadline(until)
	b := make([]byte, 256)
	for time.Now().Before(until) {
		n, _, err := conn.ReadFromIP(b) // Read would leave the IPv4 header on
		if err == nil && n > 0 && b[0] == reply {
			return true
		}
	}
	return false
}

// echo is an echo request with its checksum; for ICMPv6 the kernel writes its own.
func echo(kind byte) []byte {
	b := make([]byte, 16)
	b[0] = kind
	binary.BigEndian.PutUint16(b[6:], 1)
	var sum uint32
	for i := 0; i < len(b); i += 2 {
		sum += uint32(binary.BigEndian.Uint16(b[i:]))
	}
	sum = sum>>16 + sum&0xffff
	binary.BigEndian.PutUint16(b[2:], ^uint16(sum+sum>>16))
	return b
}
