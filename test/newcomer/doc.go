// Package newcomer tries what somebody tries in the first ten minutes, each question a case
// of its own, and judges Yoke's answers. It has tests only, and they need root.
package newcomer
