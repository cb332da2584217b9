package iface

import (
	"errors"
	"testing"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

func TestWholeAsksAgain(t *testing.T) {
	for _, c := range []struct {
		answers []error // in turn, the last one for ever
		asked   int
		want    error
	}{
		{[]error{nil}, 1, nil},
		{[]error{netlink.ErrDumpInterrupted, netlink.ErrDumpInterrupted, nil}, 3, nil},
		{[]error{netlink.ErrDumpInterrupted, unix.ENOBUFS}, 2, unix.ENOBUFS},
		{[]error{netlink.ErrDumpInterrupted}, dumpTries, nil}, // the last list counts
	} {
		asked := 0
		got, err := Whole(func() ([][]byte, error) {
			answer := c.answers[min(asked, len(c.answers)-1)]
			asked++
			return [][]byte{{byte(asked)}}, answer
		})
		if asked != c.asked || !errors.Is(err, c.want) || len(got) != 1 || int(got[0][0]) != asked {
			t.Errorf("%v: asked %d times, got %v, %v", c.answers, asked, got, err)
		}
	}
}
