package ebpf

import (
	"fmt"

	"github.com/cilium/ebpf"
)

// publisher puts plans in force: it fills a slot that nobody reads and flips the index.
type publisher struct {
	plans, index *ebpf.Map
	moving       moving
	grace        *grace
	current      uint32
}

// openPublisher continues where the pinned maps stand.
func openPublisher(t *yokeMaps, adopted bool) (*publisher, error) {
	p := &publisher{plans: t.YokePlans, index: t.YokeCurrent, moving: moving{t.YokeMoves, t.YokeIdle, t.YokeEntries}, grace: newGrace()}
	if !adopted {
		return p, nil
	}
	if err := p.index.Lookup(uint32(0), &p.current); err != nil {
		return nil, fmt.Errorf("read which plan is in force: %w", err)
	}
	for slot := range uint32(slots) {
		if slot != p.current { // whoever was here before may have left it a moment ago
			p.grace.left(slot)
		}
	}
	return p, nil
}

// publish puts e in force for every frame from now on. What is in force already is not
// published again.
func (p *publisher) publish(e *yokePlan) error {
	now, err := p.inForce()
	if err != nil {
		return err
	}
	if isInForce(now, e) {
		return p.moving.begin(e)
	}
	if err := p.moving.clear(now, e); err != nil {
		return err
	}
	slot := p.grace.free(p.current)
	if err := p.plans.Put(slot, e); err != nil {
		return fmt.Errorf("write plan %d: %w", e.Generation, err)
	}
	if err := p.index.Put(uint32(0), slot); err != nil {
		return fmt.Errorf("put plan %d in force: %w", e.Generation, err)
	}
	p.grace.left(p.current)
	p.current = slot
	return p.moving.begin(e)
}

// isInForce compares with what was read back; neither the time of publication counts nor
// what the guard noted since.
func isInForce(now, e *yokePlan) bool {
	same := *now
	same.PublishedAt, same.Opened = e.PublishedAt, e.Opened
	return now.PublishedAt != 0 && same == *e
}

// inForce reads back what the programs act on. A plan that was never published has
// generation 0.
func (p *publisher) inForce() (*yokePlan, error) {
	var slot uint32
	e := new(yokePlan)
	if err := p.index.Lookup(uint32(0), &slot); err != nil {
		return nil, fmt.Errorf("read which plan is in force: %w", err)
	}
	if err := p.plans.Lookup(slot, e); err != nil {
		return nil, fmt.Errorf("read the plan in force: %w", err)
	}
	return e, nil
}
