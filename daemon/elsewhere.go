package daemon

import (
	"fmt"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/plane/device"
)

// elsewhereFindings say in which network namespace the device is where that is another than
// the ports': `ip link` does not show it here.
func (r *registry) elsewhereFindings(s agg.Status) []agg.Finding {
	if _, inMemory := r.world.(*dryWorld); inMemory || !s.Device.Elsewhere {
		return nil
	}
	where, inside, err := device.Whereabouts(s.Name)
	if err != nil {
		r.log.Warn("nobody can say where the device is", "aggregate", s.Name, "error", err)
		return nil
	}
	if where == "" {
		return nil // it came back meanwhile
	}
	f := agg.Finding{Code: "elsewhere", Severity: "info", Text: fmt.Sprintf("the device %s is in %s; its ports are here", deviceName(s), where)}
	if inside != "" {
		f.Remedy = fmt.Sprintf("`%s ip addr show dev %s` shows it", inside, deviceName(s))
	}
	return []agg.Finding{f}
}
