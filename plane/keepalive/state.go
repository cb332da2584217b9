package keepalive

import (
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/wire/slow"
)

// The times of the programs.
const (
	// BeatEvery is how often [Keeper.Beat] should be called. A partner gives up after 3 s:
	// one for the pause since we spoke, one until it speaks again, and less than one to
	// notice that the daemon is silent.
	BeatEvery = 250 * time.Millisecond
	// StaleAfter is the silence after which the programs act for the daemon.
	StaleAfter = 800 * time.Millisecond
	// AnswerGap is the least time between two answers of a port.
	AnswerGap = 900 * time.Millisecond
	// MaxOrphan is the default of max_orphan_time.
	MaxOrphan = 90 * time.Second
)

// State is what may be said on a port in the daemon's place.
type State struct {
	// Speak: the port is agreed with its partner. The programs let a port that does not
	// speak alone.
	Speak bool
	// MaxOrphan is max_orphan_time: for how long the daemon is spoken for after its last
	// beat; 0 is the default of [MaxOrphan].
	MaxOrphan time.Duration
	// Actor is ours as it was sent last, Partner the partner's, with its state as it said it.
	Actor, Partner slow.Info
	// Source is the port's own address, Destination that of LACPDUs, zero for the group of
	// the slow protocols.
	Source, Destination agg.MAC
	// MaxDelay is the collector's, in units of 10 microseconds.
	MaxDelay uint16
}

// frame is the answer. It asks for short timeout.
func (s State) frame() (out [slow.FrameLen]byte) {
	dst := slow.Addr(s.Destination)
	if s.Destination.IsZero() {
		dst = slow.Group()
	}
	pdu := slow.LACPDU{Version: slow.Version1, Actor: s.Actor, Partner: s.Partner, MaxDelay: s.MaxDelay}
	pdu.Actor.State |= slow.Timeout
	pdu.AppendFrame(out[:0], dst, slow.Addr(s.Source))
	return out
}

// The partner's timeouts, by which it speaks.
const (
	shortTimeout = 3 * time.Second
	longTimeout  = 90 * time.Second
)

func (s State) orphanTime() time.Duration {
	if s.MaxOrphan <= 0 {
		return MaxOrphan
	}
	return s.MaxOrphan
}

// timeout is how long the partner may be silent by what it was asked for.
func (s State) timeout() time.Duration {
	if s.Actor.State.Has(slow.Timeout) {
		return shortTimeout
	}
	return longTimeout
}
