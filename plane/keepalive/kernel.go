package keepalive

import (
	"fmt"
	"sync"

	"github.com/cilium/ebpf/btf"
)

// Programs knows what keepers of one process share: where the kernel keeps the losses of
// carrier, which takes it a moment to find out once. It is safe for concurrent use and
// holds nothing that must be closed.
type Programs struct {
	offsets func() (offsets, error)
}

// offsets are in bytes, 0 where not known.
type offsets struct{ dev, losses uint32 }

// NewPrograms returns programs that look at the kernel when they are first needed.
func NewPrograms() *Programs { return &Programs{offsets: sync.OnceValues(findOffsets)} }

// findOffsets reads the kernel's own types.
func findOffsets() (o offsets, err error) {
	cache := btf.NewCache()
	spec, err := cache.Kernel()
	if err != nil {
		return o, fmt.Errorf("read the kernel's types: %w", err)
	}
	if o.dev, err = offsetIn(spec, "sk_buff", "dev"); err != nil {
		return offsets{}, err
	}
	if o.losses, err = offsetIn(spec, "net_device", "carrier_down_count"); err != nil {
		return offsets{}, err
	}
	return o, nil
}

func offsetIn(spec *btf.Spec, structure, member string) (uint32, error) {
	var s *btf.Struct
	if err := spec.TypeByName(structure, &s); err != nil {
		return 0, fmt.Errorf("find struct %s: %w", structure, err)
	}
	bits, ok := find(s.Members, member)
	if !ok {
		return 0, fmt.Errorf("struct %s has no member %s", structure, member)
	}
	return bits.Bytes(), nil
}

// find looks into structures and unions without a name too.
func find(members []btf.Member, name string) (btf.Bits, bool) {
	for _, m := range members {
		if m.Name == name {
			return m.Offset, true
		}
		if m.Name != "" {
			continue
		}
		var inner []btf.Member
		switch t := btf.UnderlyingType(m.Type).(type) {
		case *btf.Struct:
			inner = t.Members
		case *btf.Union:
			inner = t.Members
		}
		if at, ok := find(inner, name); ok {
			return m.Offset + at, true
		}
	}
	return 0, false
}
