package ebpf

import (
	"bufio"
	"fmt"
	"os"
	"strings"
)

// softnetFile has a line a CPU with hexadecimal columns; the second counts frames that
// the backlog queue had no room for. Frames cross that queue at the hop and on receive.
const softnetFile = "/proc/net/softnet_stat"

func backlogDrops() (uint64, error) {
	f, err := os.Open(softnetFile)
	if err != nil {
		return 0, fmt.Errorf("read backlog drops: %w", err)
	}
	defer f.Close()
	var sum uint64
	for lines := bufio.NewScanner(f); lines.Scan(); {
		columns := strings.Fields(lines.Text())
		var n uint64
		if len(columns) < 2 {
			continue
		}
		if _, err := fmt.Sscanf(columns[1], "%x", &n); err != nil {
			return 0, fmt.Errorf("read backlog drops: %w", err)
		}
		sum += n
	}
	return sum, nil
}
