package lab

import (
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// fabricPort is a device of a switch of kind lacp, and the goroutine that reads it.
type fabricPort struct {
	device  string
	fd      int
	up      bool // guarded by the switch
	stop    atomic.Bool
	once    sync.Once
	reading sync.WaitGroup
}

// read hands every frame with its offload metadata over, until the port is closed.
func (p *fabricPort) read(take func(*fabricPort, []byte)) {
	buffer := make([]byte, vnetHeaderLen+relayFrameMax)
	for !p.stop.Load() {
		n, err := unix.Read(p.fd, buffer)
		if err != nil || n <= vnetHeaderLen { // timed out, or the device is down
			continue
		}
		take(p, buffer[:n])
	}
}

// write sends a packet. One that the device refuses is lost as on a cable without carrier.
func (p *fabricPort) write(packet []byte) {
	if p != nil {
		_, _ = unix.Write(p.fd, packet)
	}
}

// close ends the reading. It must not be called under the switch's lock, which readers take.
func (p *fabricPort) close() {
	if p == nil {
		return
	}
	p.once.Do(func() {
		p.stop.Store(true)
		p.reading.Wait()
		if p.fd >= 0 {
			_ = unix.Close(p.fd)
		}
	})
}
