package agg

import "slices"

// maxInt is bonding's INT_MAX, the largest number of milliseconds its options take.
const maxInt = 1<<31 - 1

// optionTable is the one table of options, theme by theme; Options returns it.
var optionTable = slices.Concat( //nolint:gochecknoglobals // never changed
	modeOptions(), deviceOptions(), hashOptions(), activeOptions(), watchOptions(),
	probeOptions(), announceOptions(), lacpOptions(), elsewhereOptions(),
)

// optionKey finds an option: a name or alias, and one scope.
type optionKey struct {
	name  string
	scope Scope
}

// optionIndex holds every name and alias of the table.
var optionIndex = indexOptions(optionTable) //nolint:gochecknoglobals // never changed

func indexOptions(table []Option) map[optionKey]*Option {
	index := map[optionKey]*Option{}
	for i := range table {
		o := &table[i]
		for _, name := range append([]string{o.Name}, o.Aliases...) {
			for _, scope := range []Scope{OfAggregate, OfPort} {
				if o.Scope&scope != 0 {
					index[optionKey{name, scope}] = o
				}
			}
		}
	}
	return index
}

// Options returns the whole table, theme by theme. The caller must not change it.
func Options() []Option { return optionTable }

// Lookup finds an option by name or alias in any of the given scopes; where both have
// one of that name, the aggregate's.
func Lookup(name string, scope Scope) (*Option, bool) {
	for _, s := range []Scope{OfAggregate, OfPort} {
		if o, ok := optionIndex[optionKey{name, s}]; ok && scope&s != 0 {
			return o, true
		}
	}
	return nil, false
}
