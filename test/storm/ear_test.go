package storm

import (
	"context"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/yokelag/yoke/internal/nstest"
)

// ear counts the frames of one check that arrive at one place: an interface, by a packet
// socket, or what a tap's user space end reads.
type ear struct {
	check uint32
	fd    int
	count int
	// own: frames that the kernel does not take for the host's do not count.
	own bool
	tap *port
}

// listen opens an ear at an interface.
func listen(n *nstest.NS, ifindex int, check uint32) (*ear, error) {
	e := &ear{check: check}
	err := n.Run(func() (err error) {
		e.fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
		return err
	})
	if err != nil {
		return nil, err
	}
	err = unix.SetsockoptInt(e.fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 4<<20)
	if err == nil {
		err = unix.Bind(e.fd, &unix.SockaddrLinklayer{Protocol: htons(unix.ETH_P_IP), Ifindex: ifindex})
	}
	if err != nil {
		e.close()
		return nil, fmt.Errorf("listen on interface %d: %w", ifindex, err)
	}
	return e, nil
}

// listen opens an ear at the port's far end. One that is absent hears nothing.
func (p *port) listen(check uint32) (*ear, error) {
	if p.kind == tap {
		return &ear{check: check, fd: -1, tap: p}, nil
	}
	l, err := p.field.far.Handle().LinkByName(p.end)
	if err != nil {
		return &ear{check: check, fd: -1}, nil //nolint:nilerr // absent
	}
	return listen(p.field.far, l.Attrs().Index, check)
}

// heard returns how many frames there were so far.
func (e *ear) heard() int {
	if e.tap != nil {
		e.tap.reading.Lock()
		defer e.tap.reading.Unlock()
		return e.tap.arrived[e.check]
	}
	if e.fd < 0 {
		return 0
	}
	var b [256]byte
	for {
		n, from, err := unix.Recvfrom(e.fd, b[:], 0)
		if err != nil {
			return e.count // EAGAIN, or the interface went down
		}
		at, ok := from.(*unix.SockaddrLinklayer)
		if checkOf(b[:n]) == e.check && (!e.own || ok && at.Pkttype == unix.PACKET_HOST) {
			e.count++
		}
	}
}

func (e *ear) close() {
	if e.fd >= 0 {
		_ = unix.Close(e.fd)
	}
}

// read counts what leaves by a tap until it is closed.
func (p *port) read(file *os.File) {
	b := make([]byte, 2048)
	for {
		n, err := file.Read(b)
		if err != nil {
			return
		}
		if check := checkOf(b[:n]); check != 0 {
			p.reading.Lock()
			p.arrived[check]++
			p.reading.Unlock()
		}
	}
}

// send makes the port receive a frame.
func (p *port) send(frame []byte) error {
	if p.kind == tap {
		_, err := p.file.Write(frame)
		return err
	}
	l, err := p.field.far.Handle().LinkByName(p.end)
	if err != nil {
		return err
	}
	return p.farFrames.Send(context.Background(), l.Attrs().Index, frame)
}
