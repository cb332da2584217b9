package lacp

import (
	"time"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/wire/slow"
)

// PortState is everything a port remembers: the variables and timers of its machines.
// It is what is saved. Instants are agg.Never where a timer does not run.
type PortState struct {
	Rx           RxState       `json:"rx"`
	Periodic     PeriodicState `json:"periodic"`
	Mux          MuxState      `json:"mux"`
	Selected     Selected      `json:"selected"`
	ActorChurn   ChurnState    `json:"actor_churn"`
	PartnerChurn ChurnState    `json:"partner_churn"`
	// Actor and Partner are the operational values.
	Actor   slow.Info `json:"actor"`
	Partner slow.Info `json:"partner"`
	// PartnerSaid is the partner's state as it was sent, and View what it knows of us.
	PartnerSaid slow.State `json:"partner_said"`
	View        slow.Info  `json:"view"`
	Link        Link       `json:"link"`
	// Aggregator is the number of the one the port belongs to, 0 for none, since Joined.
	Aggregator uint16      `json:"aggregator,omitempty"`
	Joined     agg.Instant `json:"joined,omitempty"`

	CurrentWhile agg.Instant `json:"current_while,omitempty"`
	PeriodicAt   agg.Instant `json:"periodic_at,omitempty"`
	WaitSince    agg.Instant `json:"wait_since,omitempty"`
	ActorAt      agg.Instant `json:"actor_churn_at,omitempty"`
	PartnerAt    agg.Instant `json:"partner_churn_at,omitempty"`

	// NTT asks for a LACPDU; Reply asks for one only to correct the partner's view.
	NTT   bool `json:"ntt,omitempty"`
	Reply bool `json:"reply,omitempty"`
	Begin bool `json:"begin,omitempty"`
	Moved bool `json:"moved,omitempty"`
	// Sent are the times of the last LACPDUs that count for the limit, the newest last;
	// Spoken is that of the last one, SpokenBefore of the one before, which counts where the
	// last could not be sent, and Burst are those of the last ten, which bound them over many
	// returns of a link.
	Sent         [TransmitLimit + 1]agg.Instant `json:"sent"`
	Spoken       agg.Instant                    `json:"spoken,omitempty"`
	SpokenBefore agg.Instant                    `json:"spoken_before,omitempty"`
	Burst        [burstSize]agg.Instant         `json:"recent"`
	ResendAt     agg.Instant                    `json:"resend_at,omitempty"`
	RetryAt      agg.Instant                    `json:"retry_at,omitempty"`
	Heard        agg.Instant                    `json:"heard,omitempty"`
	// Recorded is since when the partner is the one it is.
	Recorded   agg.Instant `json:"recorded,omitempty"`
	HurryUntil agg.Instant `json:"hurry_until,omitempty"`
	// AskBack: the partner is asked for a LACPDU every second because it asks for that.
	AskBack bool `json:"ask_back,omitempty"`
	// Deaf: under coupled control the partner has stopped collecting.
	Deaf bool `json:"deaf,omitempty"`
	// Block is why the port may not be selected, empty where it may.
	Block      Reason      `json:"block,omitempty"`
	LoopUntil  agg.Instant `json:"loop_until,omitempty"`
	DampUntil  agg.Instant `json:"damp_until,omitempty"`
	DampSince  agg.Instant `json:"damp_since,omitempty"`
	DampCount  int         `json:"damp_count,omitempty"`
	RestoredAt agg.Instant `json:"restored_at,omitempty"`
	Lost       bool        `json:"lost,omitempty"`
	SyncBy     agg.Instant `json:"sync_by,omitempty"`
	Fallback   bool        `json:"fallback,omitempty"`

	Drain     DrainState  `json:"drain,omitempty"`
	DrainFor  Selected    `json:"drain_for,omitempty"`
	Removal   bool        `json:"removal,omitempty"`
	FlushedAt agg.Instant `json:"flushed_at,omitempty"`
	LeaveAt   agg.Instant `json:"leave_at,omitempty"`
	LeftAt    agg.Instant `json:"left_at,omitempty"`
	QuietAt   agg.Instant `json:"quiet_at,omitempty"`

	// YieldBy is when a port that gives its place away stops sending at the latest, and
	// Yielded that it may before.
	YieldBy agg.Instant `json:"yield_by,omitempty"`
	Yielded bool        `json:"yielded,omitempty"`

	Transaction uint32 `json:"transaction,omitempty"`
	MarkerDue   bool   `json:"marker_due,omitempty"`
	Flushed     bool   `json:"flushed,omitempty"`

	LACPDUs bucket `json:"lacpdu_bucket"`
	Markers bucket `json:"marker_bucket"`
}

// port is one port with its state and the buffers of its frames.
type port struct {
	PortState
	cfg      Port
	counters Counters
	receives bool
	sends    bool
	yields   bool
	pdu      [slow.FrameLen]byte
	response [slow.FrameLen]byte
	request  [slow.FrameLen]byte
}

// bucket lets frames pass at an even rate, after a burst.
type bucket struct {
	// Full is when the bucket has run empty of frames.
	Full agg.Instant `json:"full,omitempty"`
}

// take lets slowRate frames a second pass, after a burst of slowBurst.
func (b *bucket) take(now agg.Instant) bool {
	const each = FastPeriodicTime / slowRate
	if now < b.at(each, slowBurst) {
		return false
	}
	b.add(now, each)
	return true
}

// at is when the next frame may pass.
func (b *bucket) at(each time.Duration, burst int) agg.Instant {
	return b.Full.Add(each - time.Duration(burst)*each)
}

func (b *bucket) add(now agg.Instant, each time.Duration) { b.Full = max(b.Full, now).Add(each) }

// enabled is the standard's LACP_Enabled.
func (p *port) enabled() bool { return !p.cfg.Disabled && !p.Link.half() }

// speaks reports that both the port and LACP on it are on.
func (p *port) speaks() bool { return p.Link.Up && p.enabled() }

func (p *port) known() bool { return !p.Actor.State.Has(slow.Defaulted) }

func (p *port) inSync() bool { return p.Partner.State.Has(slow.Synchronization) }

func (p *port) setActor(bits slow.State, on bool) { p.Actor.State = p.Actor.State.With(bits, on) }

// setPartnerSync keeps the time when a partner fell out of sync.
func (p *port) setPartnerSync(now agg.Instant, on bool) {
	if p.inSync() && !on {
		p.HurryUntil = now.Add(hurryTime)
	}
	p.Partner.State = p.Partner.State.With(slow.Synchronization, on)
}

// attached: the mux holds the port to its aggregator.
func (p *port) attached() bool { return p.Mux >= MuxAttached }

// carries: the mux lets frames in at least.
func (p *port) carries() bool { return p.Mux >= MuxCollecting }
