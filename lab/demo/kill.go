package demo

import (
	"context"
	"time"

	"github.com/yokelag/yoke/lab"
)

// kill kills each daemon with SIGKILL under traffic, pulls a cable while it is dead
// where the plane can stand that, starts the next daemon, and pulls again.
func (g *guide) kill(ctx context.Context, _ *Result) error {
	g.say("Killing each daemon with -9 under traffic, and starting it again:")
	for _, s := range g.subjects {
		if err := g.killOne(ctx, s); err != nil {
			return err
		}
	}
	g.say("")
	return nil
}

func (g *guide) killOne(ctx context.Context, s *subject) error {
	p, err := g.start(s)
	if err != nil {
		return err
	}
	story := &story{guide: g, subject: s}
	err = story.tell(ctx)
	out, in := p.stop(story.events)
	if err != nil {
		return err
	}
	for i, into := range story.losses {
		if into != nil {
			*into = &Loss{Out: out.Outages[i], In: in.Outages[i]}
		}
	}
	g.say("  %s:", s.aggregate)
	g.say("    killed               %s", killText(s.result))
	g.say("    pulled while dead    %s", deadPullText(s.result))
	g.say("    next daemon          %s", lossText(s.result.Restart))
	g.say("    pulled after that    %s", lossText(s.result.NextPull))
	return nil
}

// story is the sequence of events of one aggregate, and where each one's cost belongs.
type story struct {
	guide   *guide
	subject *subject
	events  []lab.FaultTime
	losses  []**Loss
}

func (t *story) tell(ctx context.Context) error {
	r := &t.subject.result
	carrying, err := t.guide.lab.BusiestCable(ctx, t.subject.host, t.subject.cables, 40*time.Millisecond)
	if err != nil {
		return err
	}
	if err := t.event(ctx, lab.Fault{Do: lab.Kill, Host: t.subject.host}, &r.Kill); err != nil {
		return err
	}
	if r.Guard && r.OutlivesDaemon {
		if err := t.event(ctx, lab.Fault{Do: lab.Pull, Cable: carrying}, &r.DeadPull); err != nil {
			return err
		}
		if err := t.plug(ctx, carrying); err != nil {
			return err
		}
	}
	if err := t.event(ctx, lab.Fault{Do: lab.Start, Host: t.subject.host}, &r.Restart); err != nil {
		return err
	}
	carrying, err = t.guide.lab.BusiestCable(ctx, t.subject.host, t.subject.cables, 40*time.Millisecond)
	if err != nil {
		return err
	}
	if err := t.event(ctx, lab.Fault{Do: lab.Pull, Cable: carrying}, &r.NextPull); err != nil {
		return err
	}
	return t.plug(ctx, carrying)
}

func (t *story) event(ctx context.Context, f lab.Fault, into **Loss) error {
	at, err := t.guide.lab.Cause(ctx, f)
	if err != nil {
		return err
	}
	t.events = append(t.events, at)
	t.losses = append(t.losses, into)
	return wait(ctx, quiet)
}

func (t *story) plug(ctx context.Context, cable string) error {
	if err := t.event(ctx, lab.Fault{Do: lab.Plug, Cable: cable}, nil); err != nil {
		return err
	}
	if err := t.guide.lab.WaitPlugged(ctx, cable); err != nil {
		return err
	}
	return wait(ctx, quiet/2)
}
