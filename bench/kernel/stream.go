package main

import (
	"encoding/binary"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// numberAt is where the number of a frame of the stream is.
const numberAt = 14 + 20 + 8

// stream sends numbered frames by an aggregate and sees by which port they leave.
type stream struct {
	out  *sender
	ends ends
	// came is by which port each number arrived, from 1, and seen when that was found.
	came []uint8
	seen []time.Duration
	last int
	// fresh are the numbers that the last look found.
	fresh []int
	buf   [2048]byte
}

// run sends for so long.
func (st *stream) run(length time.Duration) {
	for end := now() + length; now() < end; {
		st.step()
	}
}

// step sends one frame, and looks what has arrived when it is time for the next.
func (st *stream) step() {
	begin := now()
	frame := st.out.frames[0]
	binary.BigEndian.PutUint64(frame[numberAt:], uint64(len(st.came)))
	st.came, st.seen = append(st.came, 0), append(st.seen, 0)
	_, _ = unix.Write(st.out.fd, frame) // what is not sent is lost, and counted
	if left := apart - (now() - begin); left > 0 {
		sleep(left)
	}
	st.look()
}

func (st *stream) look() {
	st.fresh = st.fresh[:0]
	for port := range ports {
		for b := st.ends.read(port, st.buf[:]); b != nil; b = st.ends.read(port, st.buf[:]) {
			if len(b) < frameBytes || binary.BigEndian.Uint16(b[12:]) != unix.ETH_P_IP {
				continue
			}
			if n := binary.BigEndian.Uint64(b[numberAt:]); n < uint64(len(st.came)) {
				st.came[n], st.seen[n], st.last = uint8(port+1), now(), port
				st.fresh = append(st.fresh, int(n))
			}
		}
	}
}

// pull waits, takes the carrier of the port that carries and returns the time until the
// first frame was seen to have left by the other port, and how many were lost before.
func (st *stream) pull(wait time.Duration) (took time.Duration, lost int, err error) {
	time.Sleep(wait)
	st.came, st.seen = st.came[:0], st.seen[:0]
	st.run(20 * time.Millisecond)
	// Another process may have to move them.
	for end := now() + time.Second; st.came[len(st.came)-1] == 0 && now() < end; st.look() {
		sleep(10 * time.Millisecond)
	}
	if st.came[len(st.came)-1] == 0 {
		return 0, 0, fmt.Errorf("the last of %d frames did not arrive", len(st.came))
	}
	from, first := st.last, len(st.came)
	pulled := make(chan error, 1)
	begun := make(chan time.Duration, 1)
	go func() {
		begun <- now()
		pulled <- st.ends.pull(from)
	}()
	moved := -1
	for end := now() + patience; moved < 0 && now() < end; {
		st.step()
		for _, n := range st.fresh {
			if n >= first && int(st.came[n]) == 2-from && moved < 0 {
				moved = n
			}
		}
	}
	st.run(5 * time.Millisecond)
	err = <-pulled
	if err == nil && moved < 0 {
		err = fmt.Errorf("no frame left by the other port within %v", patience)
	}
	if err != nil {
		return 0, 0, err
	}
	for n := first; n < moved; n++ {
		if st.came[n] == 0 {
			lost++
		}
	}
	return st.seen[moved] - <-begun, lost, st.ends.plug(from)
}
