package control

import (
	"net/http"
	"strings"

	"github.com/yokelag/yoke/agg"
)

// Codes of problems that the contract itself knows; faces turn them into exit codes.
const (
	CodeNoDaemon       = "no-daemon"
	CodeNotPermitted   = "not-permitted"
	CodeOtherNamespace = "other-namespace"
	CodeNotFound       = "not-found"
	CodeInternal       = "internal"
	CodeBadRequest     = "bad-request"
)

// StatusOf returns the HTTP status of a refusal with the code.
func StatusOf(code string) int {
	switch code {
	case CodeNotPermitted, CodeOtherNamespace:
		return http.StatusForbidden
	case CodeNotFound:
		return http.StatusNotFound
	case CodeInternal:
		return http.StatusInternalServerError
	case CodeBadRequest:
		return http.StatusBadRequest
	default:
		return http.StatusUnprocessableEntity
	}
}

// ProblemsOf returns all problems that err is made of, in order. A part of it that holds
// none becomes a problem with CodeInternal: what failed beside a refusal is not lost.
func ProblemsOf(err error) agg.Problems {
	if out, ok := problemsIn(err, ""); ok {
		return out
	}
	return agg.Problems{internal(err.Error())}
}

// problemsIn walks the tree of err; ok is false where there is no problem in it. Said is
// what those who wrapped it say before it.
func problemsIn(err error, said string) (out agg.Problems, ok bool) {
	switch e := err.(type) { //nolint:errorlint // this is what unwraps
	case agg.Problems:
		return e, len(e) > 0
	case *agg.Problem:
		return agg.Problems{e}, true
	case interface{ Unwrap() []error }:
		for _, part := range e.Unwrap() {
			found, known := problemsIn(part, said)
			if !known {
				found = agg.Problems{internal(said + part.Error())}
			}
			out, ok = append(out, found...), ok || known
		}
		return out, ok
	case interface{ Unwrap() error }:
		inner := e.Unwrap()
		if inner == nil {
			return nil, false
		}
		if before, ends := strings.CutSuffix(err.Error(), inner.Error()); ends {
			said += before
		}
		return problemsIn(inner, said)
	default:
		return nil, false
	}
}

func internal(text string) *agg.Problem { return &agg.Problem{Code: CodeInternal, Rule: text} }

// HasCode reports whether one of the problems in err has the code.
func HasCode(err error, code string) bool {
	if err == nil {
		return false
	}
	for _, p := range ProblemsOf(err) {
		if p.Code == code {
			return true
		}
	}
	return false
}
