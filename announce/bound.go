package announce

import "github.com/yokelag/yoke/agg"

// Limit is how many addresses are announced at once, and how many groups are reported: one
// for each VLAN that there can be. Each costs a frame, and while they are sent nothing else
// is done for the aggregate.
const Limit = 4096

// Bound returns the stations without what exceeds Limit: the last addresses and groups, as
// the stations are listed, each before those above it. It returns how many that are, too.
func Bound(stations []agg.Station) (bounded []agg.Station, addresses, groups int) {
	addresses, groups = Count(stations)
	if addresses <= Limit && groups <= Limit {
		return stations, 0, 0
	}
	roomA, roomG := Limit, Limit
	return bound(stations, &roomA, &roomG), max(0, addresses-Limit), max(0, groups-Limit)
}

func bound(stations []agg.Station, addresses, groups *int) (out []agg.Station) {
	for _, s := range stations {
		s.Addresses, s.Groups = fill(s.Addresses, addresses), fill(s.Groups, groups)
		s.Above = bound(s.Above, addresses, groups)
		out = append(out, s)
	}
	return out
}

// fill returns the first of a list that there is room for.
func fill[T any](list []T, room *int) []T {
	n := min(len(list), *room)
	*room -= n
	return list[:n:n]
}
