// Package logqueue keeps whoever reads the log from holding up who writes it. A line is
// queued and written in the background; where the queue is full, because the reader stands
// still, it is dropped, counted, and told of when the reader goes on.
package logqueue
