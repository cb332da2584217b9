package ebpf

import (
	"errors"
	"fmt"

	"github.com/cilium/ebpf"

	"github.com/yokelag/yoke/agg"
)

// portStats sums a port's counters over all CPUs.
func (p *Plane) portStats(place int) (yokePortStats, error) {
	var each []yokePortStats
	if err := p.tables.YokePorts.Lookup(uint32(place), &each); err != nil {
		return yokePortStats{}, fmt.Errorf("read counters of a port: %w", err)
	}
	var sum yokePortStats
	for _, c := range each {
		sum.TxFrames += c.TxFrames
		sum.TxBytes += c.TxBytes
		sum.RxFrames += c.RxFrames
		sum.RxBytes += c.RxBytes
		sum.OwnDropped += c.OwnDropped
		sum.RxDropped += c.RxDropped
		sum.GuardMoved += c.GuardMoved
	}
	return sum, nil
}

// clearPlace readies a place for another port: its counters, and what its guard remembers.
func (p *Plane) clearPlace(place int) error {
	err := errors.Join(
		p.tables.YokePorts.Put(uint32(place), make([]yokePortStats, cpus())),
		p.tables.YokeAway.Put(uint32(place), uint32(0)))
	if err != nil {
		return fmt.Errorf("clear the place of a port: %w", err)
	}
	return nil
}

func cpus() int { return ebpf.MustPossibleCPU() }

// buckets sums the counters of the entries of a plan.
func (p *Plane) buckets(e *yokePlan) ([]agg.BucketFacts, error) {
	n := min(int(e.Entries), agg.NumBuckets)
	if n == 0 {
		return nil, nil
	}
	out := make([]agg.BucketFacts, n)
	ahead := bootAhead()
	for i := range out {
		s, err := sumEntry(p.tables.YokeEntries, uint32(i))
		if err != nil {
			return nil, err
		}
		out[i].Frames, out[i].Bytes = s.Frames, s.Bytes
		if s.LastUsed != 0 {
			out[i].LastUsed = agg.Instant(s.LastUsed).Add(ahead)
		}
		if out[i].Moved, err = p.publish.moving.moved(uint32(i), e.Table[i]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// sumEntry sums an entry's counters over all CPUs; its last use is the newest.
func sumEntry(entries *ebpf.Map, i uint32) (sum yokeEntryStats, err error) {
	var each []yokeEntryStats
	if err := entries.Lookup(i, &each); err != nil {
		return sum, fmt.Errorf("read counters of table entry %d: %w", i, err)
	}
	for _, c := range each {
		sum.Frames += c.Frames
		sum.Bytes += c.Bytes
		sum.LastUsed = max(sum.LastUsed, c.LastUsed)
	}
	return sum, nil
}

// dropNames are the names of the drop counters in Facts.Counters.
func dropNames() map[yokeReason]string {
	return map[yokeReason]string{
		yokeReasonBLOCKED_TX: "drop_blocked_tx",
		yokeReasonBLOCKED_RX: "drop_blocked_rx",
		yokeReasonNO_PLAN:    "drop_no_plan",
		yokeReasonNO_PORT:    "drop_no_port",
		yokeReasonSTANDBY:    "drop_standby",
		yokeReasonOWN:        "drop_own",
	}
}

// counters reads the drops by reason, and the machine's backlog drops beside them.
func (p *Plane) counters() (map[string]uint64, error) {
	out := map[string]uint64{}
	for reason, name := range dropNames() {
		var each []uint64
		if err := p.tables.YokeDrops.Lookup(reason, &each); err != nil {
			return nil, fmt.Errorf("read drop counters: %w", err)
		}
		for _, n := range each {
			out[name] += n
		}
	}
	var err error
	out[agg.BacklogDrops], err = backlogDrops()
	return out, err
}
