package lab

import (
	"context"
	"fmt"
	"net"
	"sync/atomic"
	"time"
)

// throughputPort is the TCP port that throughput is measured on.
const throughputPort = 5201

// Throughput measures one TCP connection from a host to an address of another, in bits
// a second of payload that the receiver read, over the time after a short start.
func (l *Lab) Throughput(ctx context.Context, from, to, address string, during time.Duration) (float64, error) {
	fail := func(err error) (float64, error) {
		return 0, fmt.Errorf("throughput from %s to %s: %w", from, to, err)
	}
	target := net.JoinHostPort(address, fmt.Sprint(throughputPort))
	var listener net.Listener
	err := l.hosts[to].space.do(func() (err error) {
		listener, err = net.Listen("tcp", target)
		return err
	})
	if err != nil {
		return fail(err)
	}
	defer listener.Close()
	var received atomic.Int64
	go receiveAll(listener, &received)

	var conn net.Conn
	err = l.hosts[from].space.do(func() (err error) {
		conn, err = (&net.Dialer{Timeout: patience}).Dial("tcp", target)
		return err
	})
	if err != nil {
		return fail(err)
	}
	defer conn.Close()
	go sendAll(conn)

	start := monotonic() + int64(100*time.Millisecond) // TCP opens its window
	if err := sleepContext(ctx, start); err != nil {
		return fail(err)
	}
	began, before := monotonic(), received.Load()
	if err := sleepContext(ctx, began+during.Nanoseconds()); err != nil {
		return fail(err)
	}
	bits := 8 * float64(received.Load()-before)
	return bits / (float64(monotonic()-began) / 1e9), nil
}

const throughputChunk = 256 << 10

// sendAll sends until the connection is closed.
func sendAll(c net.Conn) {
	chunk := make([]byte, throughputChunk)
	for {
		if _, err := c.Write(chunk); err != nil {
			return
		}
	}
}

// receiveAll accepts one connection and reads what comes.
func receiveAll(l net.Listener, received *atomic.Int64) {
	c, err := l.Accept()
	if err != nil {
		return
	}
	defer c.Close()
	chunk := make([]byte, throughputChunk)
	for {
		n, err := c.Read(chunk)
		if err != nil {
			return
		}
		received.Add(int64(n))
	}
}
