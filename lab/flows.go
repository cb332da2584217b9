package lab

import (
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// FlowCables looks at frames where the cables enter a switch and tells by which cable
// each flow of a running probe came, by the flow's number.
func (l *Lab) FlowCables(ctx context.Context, p *Probing, cables []string, during time.Duration) (map[int]string, error) {
	var mu sync.Mutex
	seen := map[int]string{}
	var wg sync.WaitGroup
	defer wg.Wait()
	ctx, cancel := context.WithTimeout(ctx, during)
	defer cancel()
	for _, name := range cables {
		e := l.cables[name].switchEnd()
		if e.sw == nil {
			return nil, fmt.Errorf("cable %s does not lead to a switch", name)
		}
		fd, err := openTap(e)
		if err != nil {
			return nil, fmt.Errorf("look at cable %s: %w", name, err)
		}
		wg.Go(func() {
			defer unix.Close(fd)
			watchFlows(ctx, fd, p.stream, func(flow int) {
				mu.Lock()
				seen[flow] = name
				mu.Unlock()
			})
		})
	}
	<-ctx.Done()
	wg.Wait()
	return seen, nil
}

// openTap opens a packet socket that sees what comes out of a cable into a switch.
func openTap(e cableEndpoint) (int, error) {
	fd := -1
	err := e.space.do(func() error {
		ifi, err := net.InterfaceByName(e.device)
		if err != nil {
			return err
		}
		fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return err
		}
		timeout := unix.NsecToTimeval((10 * time.Millisecond).Nanoseconds())
		if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &timeout); err != nil {
			return err
		}
		if err := unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_IGNORE_OUTGOING, 1); err != nil {
			return err
		}
		return unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: bigEndian16(unix.ETH_P_ALL), Ifindex: ifi.Index})
	})
	if err != nil && fd >= 0 {
		_ = unix.Close(fd)
	}
	return fd, err
}

// watchFlows reports the flow of each IPv4 probe frame until ctx ends.
func watchFlows(ctx context.Context, fd int, s *stream, report func(flow int)) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	buffer := make([]byte, 2048)
	for ctx.Err() == nil {
		n, err := unix.Read(fd, buffer)
		if err != nil {
			continue // the timeout, so that the end of ctx is seen
		}
		source, destination, ok := udpPorts(buffer[:n])
		if flow := source - probeSourcePort - int(s.id)*maxFlows; ok && destination == s.port() && flow >= 0 && flow < s.probe.Flows {
			report(flow)
		}
	}
}

// udpPorts reads the ports of an unfragmented UDP datagram in IPv4.
func udpPorts(packet []byte) (source, destination int, ok bool) {
	if len(packet) < 20 || packet[0]>>4 != 4 || packet[9] != unix.IPPROTO_UDP {
		return 0, 0, false
	}
	header := int(packet[0]&15) * 4
	if len(packet) < header+4 {
		return 0, 0, false
	}
	return int(binary.BigEndian.Uint16(packet[header:])), int(binary.BigEndian.Uint16(packet[header+2:])), true
}
