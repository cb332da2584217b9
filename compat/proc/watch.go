package proc

import (
	"fmt"
	"strings"
	"time"

	"github.com/yokelag/yoke/agg"
)

// driversPoll is the period of the poll that plane bonding asks of the driver where none was
// chosen: without one the driver would never notice a cable.
const driversPoll = 100 * time.Millisecond

// watchText is how links are watched. Probes stand in for the poll of the carrier, as they
// do in the driver, which has one of the two.
func watchText(plane string, s agg.Spec, c agg.Config) string {
	interval, poll := time.Duration(0), c.Miimon
	if plane == "bonding" && (!c.MiimonSet || poll == 0) {
		poll = driversPoll
	}
	if s.Options["arp_interval"] != "" {
		interval = duration(s, "arp_interval")
	}
	if interval > 0 {
		poll = 0
	}
	text := fmt.Sprintf("MII Polling Interval (ms): %d\nUp Delay (ms): %d\nDown Delay (ms): %d\nPeer Notification Delay (ms): %d\n",
		poll.Milliseconds(), duration(s, "updelay").Milliseconds(), duration(s, "downdelay").Milliseconds(), c.PeerNotifDelay.Milliseconds())
	if interval > 0 {
		text += fmt.Sprintf("ARP Polling Interval (ms): %d\nARP Missed Max: %s\nARP IP target/s (n.n.n.n form):%s\nNS IPv6 target/s (xx::xx form):%s\n",
			interval.Milliseconds(), value(s, "arp_missed_max"), targets(s, "arp_ip_target"), targets(s, "ns_ip6_target"))
	}
	return text
}

// targets is a list as the driver writes it, each with a space before it.
func targets(s agg.Spec, name string) string {
	list := value(s, name)
	if list == "" {
		return ""
	}
	return " " + strings.ReplaceAll(list, ",", ", ")
}

func duration(s agg.Spec, name string) time.Duration {
	d, err := time.ParseDuration(value(s, name))
	if err != nil {
		return 0 // what Validate would refuse counts as unset
	}
	return d
}
