// Package lacp is the Link Aggregation Control Protocol of IEEE 802.1AX as a value that
// is stepped: an [Input] goes in, an [Output] with frames and transitions comes out, and
// the exact next deadline is told on request.
//
// A [System] is one aggregate with its ports. One step runs receive, selection and mux
// to a fixed point, and only then transmits, so that several reasons to speak become one
// LACPDU. There is no goroutine, clock, socket, log or map in it: the same inputs give
// the same outputs bit for bit, and an Input is a value that can be written down.
//
// Every machine has its file, with the names and states of the standard: receive.go,
// periodic.go, mux.go, selection.go, transmit.go, churn.go, marker.go. Every transition
// is a [Row] with a stable id and the clause it comes from; [System.Taken] counts them.
// Clauses are those of 802.1AX-2014 unless said otherwise.
//
// Where the standard leaves room, the choices are: independent control, a wait_while
// that is as short as the situation allows, a burst of three LACPDUs in any second, one
// active aggregator with the ports of others in STANDBY, and a drain in front of Selected
// so that a planned removal loses nothing. In one point it goes beyond the standard's
// words: the limit of three begins anew when a link comes back, within ten in any second,
// so that a link that has bounced need not wait for a second. [WaitStrict] keeps to them.
//
// A caller does this: give each input to [System.Step], publish what [System.Port] says
// of receivers and senders if Output.Replan is set, and then send Output.Send. Receive
// queues are drained before a Tick, because timers run at a Tick only.
package lacp
