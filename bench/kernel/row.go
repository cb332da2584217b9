package main

import "math"

// row is one figure of the table.
type row struct {
	// Part is what was measured, By and Mode of which aggregate.
	Part string `json:"part"`
	By   string `json:"by"`
	Mode string `json:"mode"`
	// Bare is the cost of a frame without the aggregate, Added what the aggregate adds,
	// both in instructions.
	Bare  float64 `json:"bare"`
	Added float64 `json:"added"`
	// Known is what another program measured before, Repeats whether that and this agree:
	// within 10 % or 30 instructions.
	Known   float64 `json:"known,omitempty"`
	Repeats *bool   `json:"repeats,omitempty"`
	// Ratio is Added to that of the bonding driver in the same mode and boot.
	Ratio float64 `json:"ratio,omitempty"`
	// Goal and Met tell what the figure should be at most, and whether it is.
	Goal float64 `json:"goal,omitempty"`
	Met  *bool   `json:"met,omitempty"`
	// Stretch is what it should be at best.
	Stretch float64 `json:"stretch,omitempty"`
	// Failed is why there is no figure.
	Failed string `json:"failed,omitempty"`
	Note   string `json:"note,omitempty"`
	Raw    figure `json:"raw"`
	// Commands are the command lines that ran since the row before.
	Commands []string `json:"commands"`
}

// judge fills in what follows from the figure.
func (r *row) judge() {
	if r.Failed != "" {
		return
	}
	if r.Known != 0 {
		agrees := math.Abs(r.Added-r.Known) <= max(30, r.Known/10)
		r.Repeats = &agrees
	}
	if r.Goal != 0 {
		met := r.Added <= r.Goal
		r.Met = &met
	}
}

// slack is how much our control may add to a kernel driver's own cost: nothing, within
// what is counted.
const slack = 10

// compare fills in what follows from other rows: the ratios, where the bonding driver has
// the same mode, and as a goal for the planes that are a kernel driver that driver's cost.
func compare(rows []row) {
	for i := range rows {
		r := &rows[i]
		if b, ok := find(rows, rivalPart(r.Part), byBonding, r.Mode); ok && r.Failed == "" && b.Added > 0 {
			r.Ratio = r.Added / b.Added
		}
		driver := map[string]string{byYokeTeam: byTeam, byYokeBond: byBonding}[r.By]
		if d, ok := find(rows, r.Part, driver, r.Mode); ok && (r.Part == partTransmit || r.Part == partReceive) {
			r.Goal = math.Round(d.Added) + slack
			r.judge()
		}
	}
}

// find returns the row of a figure that did not fail.
func find(rows []row, part, by, mode string) (row, bool) {
	for _, r := range rows {
		if r.Part == part && r.By == by && r.Mode == mode && r.Failed == "" {
			return r, true
		}
	}
	return row{}, false
}

// rivalPart is the part with which a variant of Yoke's is compared.
func rivalPart(part string) string {
	switch part {
	case partUnguarded, partFromOther:
		return partTransmit
	case partToOther:
		return partReceive
	default:
		return part
	}
}
