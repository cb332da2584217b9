package device

import (
	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/internal/kmodule"
)

// NoDriver says why the kernel has no driver for a plane, which is also its module's name.
func NoDriver(aggregate, plane string) *agg.Problem {
	absence := kmodule.Why(plane)
	remedy := "`yoke up " + aggregate + " plane=ebpf`"
	if absence.Remedy != "" {
		remedy = absence.Remedy + ", or " + remedy
	}
	return &agg.Problem{Code: absence.Code, Object: aggregate, Option: "plane", Value: plane, Rule: absence.Why, Remedy: remedy}
}

// NoPrivilege says what a plane lacks of it.
func NoPrivilege(aggregate, plane string) *agg.Problem {
	return &agg.Problem{
		Code: "no-privilege", Object: aggregate, Option: "plane", Value: plane, Rule: "needs CAP_NET_ADMIN over the network namespace",
		Remedy: "run yoked as root, or `yoke up " + aggregate + " plane=user` inside `unshare -Urn`",
	}
}

// OtherKind refuses a name that an interface has which a plane cannot adopt.
func OtherKind(aggregate string) *agg.Problem {
	return &agg.Problem{
		Code: "name-taken", Object: aggregate, Rule: "is an interface of another kind already",
		Remedy: "`ip link delete " + aggregate + "`, or another name for the aggregate",
	}
}
