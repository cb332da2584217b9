package lab

import "time"

// Stream is what became of a probe.
type Stream struct {
	Name string `json:"name"`
	From string `json:"from"`
	To   string `json:"to"`
	Rate int    `json:"rate"`
	// Sent counts frames handed to the kernel, Received those that came, each once.
	Sent     int `json:"sent"`
	Received int `json:"received"`
	Lost     int `json:"lost"`
	// Duplicates counts arrivals beyond the first of a frame.
	Duplicates int `json:"duplicates"`
	// Reordered counts frames that came after a later one of their flow.
	Reordered int `json:"reordered"`
	// Refused counts frames that the sender's own stack did not take; they are lost too.
	Refused int `json:"refused"`
	// LongestGap is the longest time between two arrivals.
	LongestGap time.Duration `json:"longest_gap_ns"`
	// Late is how much later than its time a frame was sent at worst. Where that is long the
	// machine had other work, and daemons waited for it too.
	Late time.Duration `json:"late_ns"`
	// Outages has one entry a fault, in order.
	Outages []Outage `json:"outages"`
}

// Outage is what a fault cost a stream.
type Outage struct {
	// Lost counts frames sent between this fault and the next that did not arrive.
	Lost int `json:"lost"`
	// Failover is the time from the fault, or from the first loss where that came long
	// after, to when the first frame was sent that got through after the loss; zero where
	// none was lost, that is, it was shorter than the spacing of the frames.
	Failover time.Duration `json:"failover_ns"`
	// Open: frames were still lost when the next fault, or the end, came.
	Open bool `json:"open,omitempty"`
}

// recovered is how many frames in a row must arrive for an outage to be over.
const recovered = 20

// measure works out a stream's fate. sent holds send times by sequence number, faults
// the times at which faults began, ascending, on the same clock.
func measure(sent []int64, arrivals []Arrival, p Probe, faults []int64) Stream {
	var m Stream
	m.Sent = len(sent)
	arrived := make([]bool, len(sent))
	latest := make([]int64, max(p.Flows, 1)) // highest sequence number plus one, by flow
	last := int64(0)
	for _, a := range arrivals {
		if a.Seq >= uint64(len(sent)) {
			continue
		}
		if last != 0 {
			m.LongestGap = max(m.LongestGap, time.Duration(a.At-last))
		}
		last = a.At
		if arrived[a.Seq] {
			m.Duplicates++
			continue
		}
		arrived[a.Seq] = true
		m.Received++
		flow := p.flowOf(a.Seq)
		if int64(a.Seq) < latest[flow] {
			m.Reordered++
		}
		latest[flow] = max(latest[flow], int64(a.Seq)+1)
	}
	m.Lost = m.Sent - m.Received
	for i, at := range faults {
		end := int64(1<<63 - 1)
		if i+1 < len(faults) {
			end = faults[i+1]
		}
		m.Outages = append(m.Outages, outage(sent, arrived, at, end))
	}
	return m
}

// outage looks at the frames sent from at until end. Frames that were under way when
// the fault began count as lost by it.
func outage(sent []int64, arrived []bool, at, end int64) Outage {
	const underWay = int64(2 * time.Millisecond)
	var o Outage
	over, run := int64(0), 0 // when the first frame after the loss was sent; frames since
	failed, begin := false, at
	for seq, t := range sent {
		if t < at-underWay || t >= end-underWay {
			continue
		}
		switch {
		case !arrived[seq]:
			o.Lost++
			if run < recovered { // a loss after recovery is another event's
				failed, run, over = true, 0, 0
			} else if !failed { // it began long after the fault
				failed, begin, run, over = true, t, 0, 0
			}
		default:
			if run == 0 {
				over = t
			}
			run++
		}
	}
	if !failed {
		return o
	}
	if over == 0 {
		o.Open = true
		return o
	}
	o.Failover = max(time.Duration(over-begin), 0)
	return o
}
