package iface

import (
	"testing"

	"github.com/yokelag/yoke/internal/nstest"
)

func TestNameOf(t *testing.T) {
	nstest.Require(t, "root", "veth")
	here, there := nstest.New(t), nstest.New(t)
	here.Veth("eth7", there, "eth8")
	index := here.Index("eth7")
	here.Do(func() {
		if name, err := NameOf(index); name != "eth7" || err != nil {
			t.Errorf("%q, %v", name, err)
		}
	})
	here.Delete("eth7")
	here.Do(func() {
		if name, err := NameOf(index); name != "" || !IsAbsent(err) {
			t.Errorf("one that is gone: %q, %v", name, err)
		}
	})
}
