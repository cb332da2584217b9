package engine

import (
	"context"
	"errors"
	"testing"
)

// Who asks and goes away leaves the answer to nobody: the race detector sees the rest.
func TestAskGoneEarly(t *testing.T) {
	e := &Engine{calls: make(chan func(context.Context)), ended: make(chan struct{})}
	begun, goOn := make(chan struct{}), make(chan struct{})
	finished := make(chan struct{})
	go func() { (<-e.calls)(t.Context()); close(finished) }()
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-begun; cancel() }()
	answer, err := ask(ctx, e, func(context.Context) (int, error) {
		close(begun)
		<-goOn
		return 7, nil
	})
	if answer != 0 || !errors.Is(err, context.Canceled) {
		t.Errorf("the answer is %d, %v", answer, err)
	}
	close(goOn)
	<-finished
}
