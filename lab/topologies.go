package lab

import (
	"embed"
	"strings"
)

//go:embed topologies/*.yaml
var topologyFiles embed.FS

// Names lists the shipped labs, sorted.
func Names() []string {
	entries, err := topologyFiles.ReadDir("topologies")
	if err != nil {
		panic("lab: the embedded topologies are missing: " + err.Error())
	}
	var names []string
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), ".yaml"))
	}
	return names
}

// shipped returns the text of a shipped lab.
func shipped(name string) ([]byte, bool) {
	text, err := topologyFiles.ReadFile("topologies/" + name + ".yaml")
	return text, err == nil
}
