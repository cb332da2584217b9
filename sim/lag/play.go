package lag

import "io"

// Deeds is how many things happen in a run.
const Deeds = 40

// Play plays a seed and returns what it covered. The error says what was wrong, and when;
// the same seed finds it again. Where story is not nil, it is told every deed, transition
// and LACPDU.
func Play(seed uint64, story io.Writer) (Coverage, error) {
	w, err := newWorld(seed, story)
	if err != nil {
		return Coverage{}, err
	}
	err = w.play()
	return w.finish(), err
}

func (w *world) play() error {
	for _, c := range w.cables {
		w.net.Up(c.wire, true)
	}
	for range Deeds {
		if err := w.do(w.one()); err != nil {
			return err
		}
		w.quiet()
		if err := w.net.Run(w.pause()); err != nil {
			return err
		}
	}
	w.calm()
	return w.settle()
}
