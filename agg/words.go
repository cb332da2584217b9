package agg

import "fmt"

// MarshalText makes the selector a word in JSON.
func (s Selector) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads the word.
func (s *Selector) UnmarshalText(text []byte) error {
	v, err := byWord[Selector](text, "selector")
	*s = v
	return err
}

// MarshalText makes the policy a word in JSON.
func (h HashPolicy) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText reads the word.
func (h *HashPolicy) UnmarshalText(text []byte) error {
	v, err := byWord[HashPolicy](text, "hash policy")
	*h = v
	return err
}

// byWord finds the value of a small enumeration that has this word.
func byWord[T interface {
	~uint8
	fmt.Stringer
}](text []byte, what string) (T, error) {
	for i := range 256 {
		if v := T(i); v.String() == string(text) && v.String() != "unknown" {
			return v, nil
		}
	}
	return 0, fmt.Errorf("%q is no %s", text, what)
}
