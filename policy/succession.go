package policy

import "github.com/yokelag/yoke/agg"

// succession returns the indexes of all usable ports in the order in which they would
// be active if each one failed in turn, beginning with active. Wishes are spent: they
// are about one port.
func succession(c agg.Config, ports []Candidate, active int, next State) []int {
	if active < 0 {
		return nil
	}
	left := append([]Candidate(nil), ports...)
	order := []int{active}
	c.ActiveSlave = ""
	for {
		left[order[len(order)-1]].Watch = Verdict{State: Down}
		choice := ChooseActive(c, left, State{Promoted: next.Promoted})
		if choice.Index < 0 {
			return order
		}
		order = append(order, choice.Index)
	}
}
