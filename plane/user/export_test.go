package user

// Sent returns the frames sent by each port of the plan in force, without asking the
// kernel.
func (p *Plane) Sent() []uint64 {
	var out []uint64
	for _, l := range p.table.Load().links {
		out = append(out, l.txFrames.Load())
	}
	return out
}
