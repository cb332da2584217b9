package agg_test

import (
	"fmt"

	"github.com/yokelag/yoke/agg"
)

// The words of the command line make a spec; its canonical words make it again.
func ExampleParseArgs() {
	spec, err := agg.ParseArgs("bond0", []string{"mode=1", "miimon=50", "eth1", "eth2,prio=10"})
	fmt.Println(spec.Args(), err)
	_, err = agg.ParseArgs("bond0", []string{"watch=arp", "mimon=50"})
	fmt.Println(err)
	// Output:
	// [miimon=50ms mode=active-backup eth1 eth2,prio=10] <nil>
	// bond0: watch=arp: Yoke knows this value but does not have it yet; what works is watch=carrier, none
	// bond0: mimon: there is no such option; did you mean miimon?
}
