package keepalive

import (
	"fmt"

	"github.com/cilium/ebpf"
)

// load makes the maps and programs of one keeper. Where the kernel does not let a program
// read its structures they are loaded without.
func load(shared *Programs) (objects keepaliveObjects, sees bool, err error) {
	at, err := shared.offsets()
	if err == nil {
		if objects, err = loadWith(at); err == nil {
			return objects, true, nil
		}
	}
	objects, err = loadWith(offsets{})
	return objects, false, err
}

func loadWith(at offsets) (out keepaliveObjects, err error) {
	spec, err := loadKeepalive()
	if err != nil {
		return out, fmt.Errorf("read the compiled programs: %w", err)
	}
	for name, value := range map[string]any{
		keepaliveVarStaleAfter: uint64(StaleAfter), keepaliveVarAnswerGap: uint64(AnswerGap),
		keepaliveVarDevAt: at.dev, keepaliveVarLossesAt: at.losses,
	} {
		if err := spec.Variables[name].Set(value); err != nil {
			return out, fmt.Errorf("set %s: %w", name, err)
		}
	}
	if err := spec.LoadAndAssign(&out, &ebpf.CollectionOptions{}); err != nil {
		return out, fmt.Errorf("load programs: %w", err)
	}
	return out, nil
}
