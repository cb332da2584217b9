package main

import "regexp"

// withoutTimes replaces ages and times of day, which no two runs share.
func withoutTimes(s string) string {
	s = regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}`).ReplaceAllString(s, "TIME")
	return regexp.MustCompile(`(in force|for) [0-9.hmµn]+m?s\b`).ReplaceAllString(s, "$1 AGE")
}
