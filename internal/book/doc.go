// Package book keeps generated pages true: a test fails where a page is not what the
// program says, and writes it for `make generate`.
package book
