package team

import (
	"fmt"

	"github.com/yokelag/yoke/agg"
	"github.com/yokelag/yoke/team"
)

// Here reports whether the kernel has the driver, which it loads for the asking. The error
// is an [agg.Problem] where it has none, with object as the aggregate.
func Here(object string) error {
	k, err := team.Open()
	if err != nil {
		return refused(object, err)
	}
	return k.Close()
}

// Unfit tells what of a configuration the driver cannot do, as the end of a sentence, and
// nothing where it can do all. It is for who chooses a plane; a plan is checked anyway.
func Unfit(c agg.Config) string {
	switch hashed := c.Mode == agg.BalanceXOR || c.Mode == agg.LACP; {
	case c.Mode == agg.BalanceTLB, c.Mode == agg.BalanceALB:
		return "does not balance by load (mode=" + c.Mode.String() + ")"
	case hashed && !computes(c.HashPolicy):
		return "does not compute the hash " + c.HashPolicy.String()
	case c.Mode == agg.BalanceRR && c.PacketsPerSlave > 1:
		return fmt.Sprintf("changes the port with every frame (packets_per_slave=%d)", c.PacketsPerSlave)
	case c.FastPath:
		return "has no fast_path"
	default:
		return ""
	}
}
