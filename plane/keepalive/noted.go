package keepalive

import (
	"errors"
	"fmt"
	"unsafe"

	"github.com/cilium/ebpf"

	"github.com/yokelag/yoke/agg"
)

// Stop is why the programs gave a port up.
type Stop string

// The reasons.
const (
	// PartnerChanged: the partner said something else than before, or nothing of us.
	PartnerChanged Stop = "partner-changed"
	// CarrierLost: the port lost its carrier.
	CarrierLost Stop = "carrier-lost"
)

// Noted is what the programs noted of a port since [Keeper.Set] was first called for it.
// Instants are agg.Never where there was none.
type Noted struct {
	// Beat is the daemon's last beat. Heard is when the partner was last heard as it was
	// agreed on, Spoken when it was last answered, Answers how often.
	Beat, Heard, Spoken agg.Instant
	Answers             uint64
	// Held are frames that did not leave by the port, and Own the LACPDUs of our own
	// system that came back.
	Held, Own uint64
	// Stopped is why the port was given up since the last Set, empty where it was not.
	Stopped Stop
}

// record is what the maps behind a program hold of a port.
type record struct {
	note   keepaliveNote
	speech keepaliveSpeech
	beat   uint64
}

func (r *record) noted() Noted {
	n, epoch := r.note, r.speech.Epoch
	out := Noted{
		Beat: toInstant(r.beat), Heard: toInstant(n.Heard), Spoken: toInstant(n.Spoken),
		Answers: n.Answers, Held: n.Held, Own: n.Own,
	}
	if n.Stopped != epoch || epoch == 0 {
		return out
	}
	switch n.Why {
	case keepaliveWhyPARTNER_CHANGED:
		out.Stopped = PartnerChanged
	case keepaliveWhyCARRIER_LOST:
		out.Stopped = CarrierLost
	default: // it goes on
	}
	return out
}

// read reads the three maps.
func (r *record) read(notes, speeches, beat *ebpf.Map, ifindex int) error {
	return errors.Join(lookup(notes, uint32(ifindex), &r.note), lookup(speeches, uint32(ifindex), &r.speech), lookup(beat, 0, &r.beat))
}

// behind reads the maps of the program that is on a port; found is false where there is
// none, or one of another layout.
func behind(ifindex int) (r record, found bool, err error) {
	s, err := look(hook{ifindex, true})
	if err != nil {
		return r, false, err
	}
	return s.record()
}

// record reads the maps of our program.
func (s seen) record() (r record, found bool, err error) {
	if s.id == 0 {
		return r, false, nil
	}
	ifindex := s.ifindex
	maps, err := mapsOf(s.id)
	defer func() {
		for _, m := range maps {
			m.Close()
		}
	}()
	if err != nil {
		return r, false, fmt.Errorf("read the keep-alive program of interface %d: %w", ifindex, err)
	}
	notes, speeches, beat := maps[keepaliveMapYokeNotes], maps[keepaliveMapYokeSpeech], maps[keepaliveMapYokeBeat]
	if notes == nil || speeches == nil || beat == nil ||
		notes.ValueSize() != uint32(unsafe.Sizeof(r.note)) || speeches.ValueSize() != uint32(unsafe.Sizeof(r.speech)) {
		return r, false, nil
	}
	err = r.read(notes, speeches, beat, ifindex)
	return r, err == nil, err
}

// mapsOf opens the maps of a program, by name.
func mapsOf(id ebpf.ProgramID) (map[string]*ebpf.Map, error) {
	out := map[string]*ebpf.Map{}
	p, err := ebpf.NewProgramFromID(id)
	if err != nil {
		return out, err
	}
	defer p.Close()
	info, err := p.Info()
	if err != nil {
		return out, err
	}
	ids, _ := info.MapIDs()
	for _, id := range ids {
		m, err := ebpf.NewMapFromID(id)
		if err != nil {
			return out, err
		}
		mi, err := m.Info()
		if err != nil {
			m.Close()
			return out, err
		}
		out[mi.Name] = m
	}
	return out, nil
}

// lookup reads what a map has; nothing is no error.
func lookup(m *ebpf.Map, key uint32, into any) error {
	err := m.Lookup(key, into)
	if errors.Is(err, ebpf.ErrKeyNotExist) {
		return nil
	}
	return err
}
