package lacptest

import (
	"embed"
	"fmt"
	"strings"
)

//go:embed testdata/*.txt
var files embed.FS

// Scenario is one text of the suite.
type Scenario struct {
	// ID is the two digits at the beginning of Name: "01".
	ID, Name string
	Text     string
}

// Scenarios returns the suite in the order of its ids.
func Scenarios() ([]Scenario, error) {
	entries, err := files.ReadDir("testdata")
	if err != nil {
		return nil, fmt.Errorf("read the scenarios: %w", err)
	}
	var out []Scenario
	for _, e := range entries {
		text, err := files.ReadFile("testdata/" + e.Name())
		if err != nil {
			return nil, fmt.Errorf("read the scenarios: %w", err)
		}
		name := strings.TrimSuffix(e.Name(), ".txt")
		id, _, _ := strings.Cut(name, "-")
		out = append(out, Scenario{ID: id, Name: name, Text: string(text)})
	}
	return out, nil
}
