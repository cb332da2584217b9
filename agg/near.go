package agg

import (
	"cmp"
	"slices"
)

// Near returns the words that are at most two letters away from a misspelt one, the
// nearest first, for a suggestion.
func Near(word string, words []string) []string {
	at := make(map[string]int, len(words))
	for _, w := range words {
		if d := editDistance(word, w); d <= 2 && d < len(word) {
			at[w] = d
		}
	}
	near := slices.DeleteFunc(slices.Clone(words), func(w string) bool { return at[w] == 0 })
	slices.SortStableFunc(near, func(a, b string) int { return cmp.Compare(at[a], at[b]) })
	return near
}

// nearest is the first word of Near, or an empty string.
func nearest(word string, words []string) string {
	if near := Near(word, words); len(near) > 0 {
		return near[0]
	}
	return ""
}

// editDistance is Levenshtein's, over bytes, with two rows.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}
