package trace

import (
	"fmt"
	"slices"

	"github.com/yokelag/yoke/lacp"
)

// Trace is a system as it was, and every step since.
type Trace struct {
	Begin   lacp.Snapshot
	Records []Record
	// Guessed: made of captured frames, so that there is no output to compare with.
	Guessed bool
	// Cut: there were too many steps, and the last are missing.
	Cut bool
}

// Difference is where a replay does not do what was done.
type Difference struct {
	// Step counts records from 0.
	Step int
	// Was and Is are the frames and transitions of the step, in words.
	Was, Is string
}

// Error says it in a sentence.
func (d *Difference) Error() string {
	return fmt.Sprintf("step %d: it did %s, and the replay did %s", d.Step, d.Was, d.Is)
}

// Replay steps a system anew by the inputs and calls each, where it is not nil, with the
// system after every step. It returns the first *Difference after all steps, another error
// where the beginning is none.
func (t Trace) Replay(each func(s *lacp.System, r Record)) error {
	s, err := lacp.FromSnapshot(t.Begin)
	if err != nil {
		return fmt.Errorf("replay: %w", err)
	}
	var first *Difference
	for i, r := range t.Records {
		out := s.Step(r.In)
		same := slices.EqualFunc(r.Send, out.Send, sameSend) && slices.Equal(r.Moves, out.Moves)
		if !same && !t.Guessed && first == nil {
			first = &Difference{i, words(r.Send, r.Moves), words(out.Send, out.Moves)}
		}
		if each != nil {
			each(s, Record{In: r.In, Send: out.Send, Moves: out.Moves})
		}
	}
	if first != nil {
		return first
	}
	return nil
}

func words(sends []lacp.Send, moves []lacp.Move) string {
	if len(sends)+len(moves) == 0 {
		return "nothing"
	}
	var out []string
	for _, m := range moves {
		out = append(out, fmt.Sprintf("port %d %v", m.Port, m))
	}
	for _, s := range sends {
		out = append(out, fmt.Sprintf("port %d sends %x", s.Port, s.Frame))
	}
	return fmt.Sprint(out)
}
