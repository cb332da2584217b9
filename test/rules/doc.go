// Package rules tests on the real yoked and on real interfaces what happens to an
// aggregate when somebody changes its device or its ports by other means than Yoke, as
// with ip(8). It holds nothing but tests.
package rules
